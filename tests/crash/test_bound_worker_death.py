"""A worker is killed that carried messages of a bound socket: they wait for the peer's return."""

import contextlib
import os
import signal
from collections.abc import Iterator

import pytest
from support.factory import SocketFactory
from support.library import Socket, zmq
from support.raw_peer import RawPeer, frame
from support.waiting import wait_for

BODY = bytes(50_000)
"""So large that the kernel does not take many."""

MOST = 400


def kill_worker(bound: Socket) -> None:
    """Kill the one worker of a socket's context, and return when it has a successor."""
    [link] = bound.context._pool.links()
    pid = link.process.pid
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: link.process.pid != pid, "the worker has a successor")


@contextlib.contextmanager
def peer(bound: Socket, kind: bytes, name: bytes = b"") -> Iterator[RawPeer]:
    """Give a raw peer that has connected, and of which *bound* knows."""

    def connected() -> RawPeer | None:
        with contextlib.suppress(ConnectionRefusedError):
            return RawPeer(bound.last_endpoint.decode())
        return None

    with wait_for(connected, "somebody listens there again") as stream:  # type: ignore[attr-defined]
        stream.shake_hands(kind, name)
        yield stream


def fill(socket: Socket, *before: bytes) -> int:
    """Send numbered messages until one is refused; return how many went."""
    for number in range(MOST):
        try:
            socket.send_multipart([*before, b"%d" % number, BODY], zmq.NOBLOCK)
        except zmq.Again:
            return number
    return MOST


def hear(stream: RawPeer) -> int:
    """Return the number of the next message, which is whole."""
    flags, number = stream.hear_frame()
    assert flags == 1
    assert stream.hear_frame() == (0, BODY)
    return int(number)


@pytest.mark.parametrize("kind", [zmq.PUSH, zmq.DEALER, zmq.PAIR], ids=lambda kind: kind.name)
def test_the_next_peer_gets_all_in_order(sockets: SocketFactory, kind: int) -> None:
    bound = sockets.open(kind, bind="tcp://127.0.0.1:*")
    their_kind = {zmq.PUSH: b"PULL", zmq.DEALER: b"DEALER", zmq.PAIR: b"PAIR"}[kind]
    with peer(bound, their_kind) as first:
        wait_for(lambda: bound.poll(0, zmq.POLLOUT), "it is known")
        sent = fill(bound)
        kill_worker(bound)
        # What lies in the kernel is written; a message that is cut off comes again.
        first.stream.settimeout(1)
        heard = -1
        with contextlib.suppress(ConnectionError, IndexError, AssertionError):
            while True:
                heard = hear(first)
    assert heard < sent - 1
    with peer(bound, their_kind) as second:
        bound.send_multipart([b"%d" % sent, BODY])
        begins = hear(second)
        assert begins in (heard, heard + 1)
        for number in range(begins + 1, sent + 1):
            assert hear(second) == number


def test_a_message_that_is_half_sent_is_finished(sockets: SocketFactory) -> None:
    bound = sockets.open(zmq.PUSH, bind="tcp://127.0.0.1:*")
    with peer(bound, b"PULL"):
        wait_for(lambda: bound.poll(0, zmq.POLLOUT), "it is known")
        bound.send(b"first", zmq.SNDMORE)
        kill_worker(bound)
        bound.send(b"second", zmq.SNDMORE)
        bound.send(b"third")
    with peer(bound, b"PULL") as again:
        bound.send(b"next")
        heard = [again.hear_frame() for _ in range(4)]
    assert heard == [(1, b"first"), (1, b"second"), (0, b"third"), (0, b"next")]


def test_a_router_knows_peers_by_their_names(sockets: SocketFactory) -> None:
    bound = sockets.open(zmq.ROUTER, bind="tcp://127.0.0.1:*", sndhwm=MOST)
    with contextlib.ExitStack() as stack:
        for name in (b"one", b"two", b""):
            stream = stack.enter_context(peer(bound, b"DEALER", name))
            stream.say(frame(b"hello"))
            address, _ = bound.recv_multipart()
            fill(bound, address)
        kill_worker(bound)
    with (
        peer(bound, b"DEALER") as nameless,
        peer(bound, b"DEALER", b"two") as two,
        peer(bound, b"DEALER", b"three") as three,
    ):
        for stream in (nameless, two, three):
            stream.say(frame(b"back"))
            bound.send_multipart([bound.recv_multipart()[0], b"1000", BODY])
        assert hear(nameless) == hear(three) == 1000
        begins = hear(two)
        assert begins < MOST
        assert [hear(two) for _ in range(begins + 1, MOST)] == [*range(begins + 1, MOST)]
        assert hear(two) == 1000
