"""Random traffic between processes through real shared memory, every byte checked."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from stress.far_end import check_all, receive_message, send_all
from stress.traffic import Pauses, Traffic
from support.channel import ChildProcess
from support.far_pipes import offer_pipe
from support.pipes import MORE, bare_socket, discard

from shmzmq.constants import SocketType
from shmzmq.patterns import new_pattern
from shmzmq.pipe_segment import create_pipe_segment, open_area
from shmzmq.shm.ring import Consumer
from shmzmq.socket_base import SocketBase

pytestmark = [pytest.mark.stress, pytest.mark.timeout(600)]

MESSAGES = 1500
MakeSocket = Callable[[SocketType], SocketBase]


@pytest.fixture
def make_socket() -> Iterator[MakeSocket]:
    """Make sockets whose boards have names; these go in the end."""
    made: list[SocketBase] = []

    def make(socket_type: SocketType) -> SocketBase:
        made.append(bare_socket(new_pattern(socket_type), private=False))
        return made[-1]

    yield make
    discard(*made)


@contextmanager
def far_ends(
    socket: SocketBase, what: str, pattern: SocketType, *, seeds: list[int], count: int, limit: int
) -> Iterator[None]:
    """Have a process for each seed play *what* at the far end of a pipe from *socket*."""
    with ExitStack() as stack:
        children = []
        for seed in seeds:
            numbers = map(str, (int(pattern), seed, count, limit))
            children.append(stack.enter_context(ChildProcess("stress.far_end", what, *numbers)))
            offer_pipe(children[-1].channel, socket, limit=limit)
        yield
        for child in children:
            done, _slept = child.channel.hear()
            assert done == "done"
            child.channel.send("bye")
            assert child.wait() == 0


@pytest.mark.parametrize("limit", [0, 1, 7, 1000])
def test_ring_should_carry_every_byte(scale: int, limit: int) -> None:
    seed, count = 100 + limit, MESSAGES * scale
    segment = create_pipe_segment(outbound=4096, inbound=4096, token=os.urandom(16))
    with ChildProcess("stress.far_end", "ring", "0", *map(str, (seed, count, limit))) as child:
        child.channel.send(segment.name)
        consumer = Consumer(segment, 0, lambda name: open_area(name, segment))
        pauses = Pauses(seed)
        for parts in Traffic(seed, count):
            pauses.take()
            got: list[bytes] = []
            more = MORE
            while more:
                record = consumer.pop()
                if record is None:
                    assert not got, "half a message"
                    os.sched_yield()
                    continue
                got.append(record[0])
                more = record[1] & MORE
            assert got == parts
        assert child.channel.hear() == "done"
        assert consumer.pop() is None
        assert child.wait() == 0


@pytest.mark.parametrize("limit", [0, 1, 2, 50, 1000])
def test_push_should_reach_pull_in_another_process(
    scale: int, make_socket: MakeSocket, limit: int
) -> None:
    seed, count = 200 + limit, MESSAGES * scale
    socket = make_socket(SocketType.PUSH)
    with far_ends(socket, "pull", SocketType.PULL, seeds=[seed], count=count, limit=limit):
        send_all(socket, Traffic(seed, count), Pauses(seed))


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_pull_should_hear_several_processes(
    scale: int, make_socket: MakeSocket, limit: int
) -> None:
    seeds, count = [300 + limit, 310 + limit, 320 + limit], MESSAGES // 3 * scale
    socket = make_socket(SocketType.PULL)
    with far_ends(socket, "push", SocketType.PUSH, seeds=seeds, count=count, limit=limit):
        pauses = Pauses(limit)
        awaited = {b"%d" % seed: iter(Traffic(seed, count, tagged=True)) for seed in seeds}
        for _ in range(len(seeds) * count):
            pauses.take()
            got = receive_message(socket)
            assert got == next(awaited[got[0]])


@pytest.mark.parametrize(
    ("near", "far"),
    [(SocketType.REQ, SocketType.REP), (SocketType.DEALER, SocketType.REP)],
    ids=["req-rep", "dealer-rep"],
)
def test_every_request_should_come_back(
    scale: int, make_socket: MakeSocket, near: SocketType, far: SocketType
) -> None:
    seed, count = 400 + near, MESSAGES // 2 * scale
    socket = make_socket(near)
    envelope = [b"", b"delimited"][: int(near == SocketType.DEALER)]
    with far_ends(socket, "echo", far, seeds=[seed], count=count, limit=0):
        pauses = Pauses(seed)
        for parts in Traffic(seed, count):
            pauses.take()
            sent = [*envelope, *parts]
            for part in sent[:-1]:
                socket.send(part, 2)
            socket.send(sent[-1])
            assert receive_message(socket) == sent


def test_dealers_should_talk_both_ways_at_once(scale: int, make_socket: MakeSocket) -> None:
    """More is under way than the marks let in: both sides wait for room and messages in turn."""
    seed, count, limit = 500, MESSAGES * scale, 4
    socket = make_socket(SocketType.DEALER)
    with far_ends(socket, "echo", SocketType.DEALER, seeds=[seed], count=count, limit=limit):
        pauses = Pauses(seed)
        back = iter(Traffic(seed, count))
        unanswered = 0
        for parts in Traffic(seed, count):
            pauses.take()
            while unanswered == 2 * limit:
                assert receive_message(socket) == next(back)
                unanswered -= 1
            for part in parts[:-1]:
                socket.send(part, 2)
            socket.send(parts[-1])
            unanswered += 1
        check_all(socket, Remaining(back), pauses)


class Remaining(Traffic):
    """What is left of some traffic."""

    def __init__(self, rest: Iterator[list[bytes]]) -> None:
        self._rest = rest

    def __iter__(self) -> Iterator[list[bytes]]:
        return self._rest
