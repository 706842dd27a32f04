"""Whatever way messages are sent and received, they are the same ones in the same order.

Hypothesis draws the calls; a list of what is under way is the model.
"""

import itertools
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from support.factory import SocketFactory
from support.library import LIBRARY_NAME, zmq
from support.links import free_port

pytestmark = pytest.mark.skipif(LIBRARY_NAME == "zmq", reason="pyzmq has no batches and no loans")

# Around the sizes from which on something else happens: references, blocks, a ring that grows.
SIZES = st.sampled_from([0, 1, 7, 8, 60, 2047, 2048, 5000, 32_767, 32_768, 50_000, 200_000])
SMALL = st.integers(0, 100)
EXAMPLES, STEPS = 20, 40


class AnyWay(RuleBasedStateMachine):
    """A PUSH and a PULL, and what is under way from the one to the other."""

    endpoint: ClassVar[str]
    exact: ClassVar[bool]  # what was sent is there, and the high water marks are to the message

    def __init__(self) -> None:
        super().__init__()
        self.context = zmq.Context()
        self.context.set(zmq.BLOCK_POOL_SIZE, 1 << 20)  # so that blocks run out, too
        self.sockets = SocketFactory(self.context)
        self.under_way: deque[list[bytes]] = deque()
        self.held: list[tuple[Any, bytes]] = []  # views, and what they must show for good
        self.loans: list[tuple[Any, bytes]] = []
        self.serial = 0

    @initialize(mark=st.sampled_from([0, 1, 5, 1000]))
    def meet(self, mark: int) -> None:
        self.limit = 2 * mark if self.exact else 0
        marks = dict.fromkeys(["sndhwm", "rcvhwm"], self.limit // 2)
        self.push = self.sockets.open(zmq.PUSH, bind=self.endpoint, **marks)
        self.pull = self.sockets.open(zmq.PULL, connect=self.push.last_endpoint.decode(), **marks)
        self.push.send(b"hello")
        assert self.pull.recv() == b"hello"

    def teardown(self) -> None:
        self.held.clear()
        self.loans.clear()
        self.sockets.close()
        self.context.destroy(linger=0)

    def body(self, size: int) -> bytes:
        """Return *size* bytes that no other message has, if there are so many."""
        self.serial += 1
        return (self.serial.to_bytes(4, "little") * (size // 4 + 1))[:size]

    def has_room(self) -> bool:
        return not self.limit or len(self.under_way) < self.limit

    def send(self, parts: Sequence[bytes], how: Any) -> None:
        """Have *how* send a message without waiting; that fails when the mark is reached."""
        if self.has_room():
            how()
            self.under_way.append(list(parts))
        else:
            with pytest.raises(zmq.Again):
                how()

    def sent_many(self, batch: Sequence[Sequence[bytes]], how: Any) -> None:
        """Have *how* send a batch without waiting; as many go as there is room for."""
        room = self.limit - len(self.under_way) if self.limit else len(batch)
        if batch and room <= 0:
            with pytest.raises(zmq.Again):
                how()
            return
        count = how()
        assert count == min(len(batch), room)
        self.under_way.extend(list(parts) for parts in batch[:count])

    # -- sending -----------------------------------------------------------------------------------

    @rule(size=SIZES, kind=st.sampled_from([bytes, bytearray, memoryview, zmq.Frame]))
    def send_one(self, size: int, kind: Any) -> None:
        body = self.body(size)
        self.send([body], lambda: self.push.send(kind(body), zmq.DONTWAIT))

    @rule(size=SIZES)
    def send_and_change(self, size: int) -> None:
        body = bytearray(self.body(size))
        self.send([bytes(body)], lambda: self.push.send(body, zmq.DONTWAIT))
        body[:] = bytes(size)

    @rule(sizes=st.lists(SIZES, min_size=1, max_size=4), copy=st.booleans())
    def send_parts(self, sizes: list[int], copy: bool) -> None:
        parts = [self.body(size) for size in sizes]
        self.send(parts, lambda: self.push.send_multipart(parts, zmq.DONTWAIT, copy=copy))

    @rule(sizes=st.lists(SIZES, max_size=8))
    def send_list(self, sizes: list[int]) -> None:
        batch = [self.body(size) for size in sizes]
        self.sent_many([[one] for one in batch], lambda: self.push.send_many(batch, zmq.DONTWAIT))

    @rule(sizes=st.lists(SMALL, max_size=300))
    def send_packed(self, sizes: list[int]) -> None:
        batch = [self.body(size) for size in sizes]
        offsets = np.cumsum([0, *sizes])
        self.sent_many(
            [[one] for one in batch],
            lambda: self.push.send_many(b"".join(batch), zmq.DONTWAIT, offsets=offsets),
        )

    @rule(count=st.integers(0, 20), size=SIZES)
    def send_rows(self, count: int, size: int) -> None:
        batch = [self.body(size) for _ in range(count)]
        table = np.frombuffer(b"".join(batch), np.uint8).reshape(count, size)
        self.sent_many([[one] for one in batch], lambda: self.push.send_many(table, zmq.DONTWAIT))

    @rule(shapes=st.lists(st.lists(SIZES, min_size=1, max_size=3), max_size=4))
    def send_many_of_parts(self, shapes: list[list[int]]) -> None:
        batch = [[self.body(size) for size in sizes] for sizes in shapes]
        self.sent_many(batch, lambda: self.push.send_many(batch, zmq.DONTWAIT, multipart=True))

    @rule(size=SIZES)
    def borrow(self, size: int) -> None:
        loan, body = self.push.loan(size), self.body(size)
        memoryview(loan)[:] = body
        self.loans.append((loan, body))

    @precondition(lambda self: self.loans)
    @rule(keep=st.booleans())
    def send_loan(self, keep: bool) -> None:
        loan, body = self.loans[0]
        self.send([body], lambda: self.push.send(loan, zmq.DONTWAIT))
        if not keep:
            del self.loans[0]

    @precondition(lambda self: self.loans)
    @rule()
    def drop_loan(self) -> None:
        del self.loans[-1]

    @rule(size=SIZES, loaned=st.booleans())
    def send_array(self, size: int, loaned: bool) -> None:
        body = self.body(size)
        array = np.frombuffer(body, np.uint8)
        if loaned:
            array = self.push.loan_array(size, np.uint8)
            array[:] = np.frombuffer(body, np.uint8)
        header = b'{"dtype":"|u1","shape":[%d],"order":"C"}' % size
        self.send([header, body], lambda: self.push.send_array(array, zmq.DONTWAIT))

    # -- receiving ---------------------------------------------------------------------------------

    @precondition(lambda self: self.under_way)
    @rule(hold=st.booleans())
    def receive(self, hold: bool) -> None:
        frames = self.pull.recv_multipart(copy=False)
        parts = self.under_way.popleft()
        assert [frame.bytes for frame in frames] == parts
        if hold:
            self.held += [(memoryview(f), p) for f, p in zip(frames, parts, strict=True)]

    @precondition(lambda self: self.under_way)
    @rule()
    def receive_copies(self) -> None:
        assert self.pull.recv_multipart() == self.under_way.popleft()

    @precondition(lambda self: self.under_way)
    @rule(room=SIZES)
    def receive_into(self, room: int) -> None:
        for part in self.under_way.popleft():
            buffer = bytearray(room)
            assert self.pull.recv_into(buffer) == len(part)
            stored = min(room, len(part))
            assert buffer == part[:stored] + bytes(room - stored)

    @precondition(lambda self: self.under_way)
    @rule(copy=st.booleans())
    def receive_array(self, copy: bool) -> None:
        parts = self.under_way.popleft()
        if len(parts) == 2 and parts[0].startswith(b'{"dtype"'):
            array = self.pull.recv_array(copy=copy)
            assert array.tobytes() == parts[1]
            self.held.append((array, parts[1]))
        else:
            with pytest.raises(ValueError, match="array"):
                self.pull.recv_array(copy=copy)

    @precondition(lambda self: self.under_way)
    @rule(most=st.integers(1, 300))
    def receive_many_of_parts(self, most: int) -> None:
        there = min(most, len(self.under_way))
        self.take(there, lambda left: self.pull.recv_many(left, multipart=True))

    @precondition(lambda self: self.under_way)
    @rule(most=st.integers(1, 300), packed=st.booleans())
    def receive_many(self, most: int, packed: bool) -> None:
        receive = self.receive_packed if packed else self.receive_list
        if len(self.under_way[0]) > 1:
            with pytest.raises(zmq.ZMQError) as caught:
                receive(most)
            assert caught.value.errno == zmq.EFSM
            return
        singles = [len(parts) == 1 for parts in self.under_way]
        self.take(min(most, [*singles, False].index(False)), receive)

    def receive_list(self, most: int) -> list[list[bytes]]:
        return [[message] for message in self.pull.recv_many(most)]

    def receive_packed(self, most: int) -> list[list[bytes]]:
        data, ends = self.pull.recv_packed(most)
        return [[data[start:end].tobytes()] for start, end in itertools.pairwise(ends)]

    def take(self, there: int, receive: Callable[[int], list[list[bytes]]]) -> None:
        """Receive *there* messages in batches, which is one where they are there already."""
        batches = [receive(there)]
        while not self.exact and sum(map(len, batches)) < there:
            batches.append(receive(there - sum(map(len, batches))))
        got = [message for batch in batches for message in batch]
        assert got == [self.under_way.popleft() for _ in range(there)]

    @precondition(lambda self: not self.under_way)
    @rule()
    def nothing_comes(self) -> None:
        for receive in (self.pull.recv, self.pull.recv_many, self.pull.recv_array):
            with pytest.raises(zmq.Again):
                receive(flags=zmq.DONTWAIT)

    @precondition(lambda self: self.held)
    @rule(place=st.integers(0, 100))
    def let_go(self, place: int) -> None:
        del self.held[place % len(self.held)]

    @invariant()
    def what_is_held_stays(self) -> None:
        for view, body in self.held:
            assert view.tobytes() == body


@pytest.mark.parametrize("kind", ["inproc", "ipc", "tcp"])
def test_messages_are_the_same_whatever_way_they_go(kind: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        endpoints = {
            "inproc": "inproc://here",
            "ipc": f"ipc://{directory}/s",
            "tcp": f"tcp://127.0.0.1:{free_port()}",
        }
        machine = type(kind, (AnyWay,), {"endpoint": endpoints[kind], "exact": kind != "tcp"})
        run_state_machine_as_test(
            machine,
            settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None),
        )
