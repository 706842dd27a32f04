"""Large parts from a stream go into blocks, and return; few wake-ups do for one."""

import contextlib
import random
import socket
from collections.abc import Iterator
from itertools import accumulate

import pytest
from support.lent import LARGE, MIB, Lent, lent
from support.pipe_ends import Held, receive_all
from support.raw_peer import frame

from shmzmq.workers.receiving import Receiving
from shmzmq.workers.relay import Turn
from shmzmq.zmtp.codec import FrameCodec

SMALL_POOL = 256 * 1024


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a TCP stream: the worker's, which does not block, and the peer's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        far = socket.create_connection(server.getsockname())
        near, _ = server.accept()
    near.setblocking(False)
    far.settimeout(20)
    far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with near, far:
        yield near, far


def body(size: int) -> bytes:
    """Return *size* bytes that do not repeat."""
    return random.Random(size).randbytes(size)


def receive(receiving: Receiving, near: socket.socket, octets: int) -> None:
    """Take turns until *octets* have come in all; they are under way."""
    while receiving.count < octets:
        assert receiving.receive() in (Turn.MORE, Turn.IDLE)


class Relay:
    """The worker's end of a pipe over which it lends, with the stream that it reads."""

    def __init__(self, held: Held, ends: tuple[socket.socket, socket.socket], pool: int) -> None:
        self.near, self.peer = ends
        self.lent: Lent = lent(held, pool=pool)
        self.receiving = Receiving(self.lent.pipe, self.near.fileno(), FrameCodec("2.0"), False)
        self.sent = 0

    def say(self, octets: bytes) -> None:
        """Have the peer send *octets*, and the worker read them."""
        for start in range(0, len(octets), 65536):
            chunk = octets[start : start + 65536]
            self.peer.sendall(chunk)
            self.sent += len(chunk)
            receive(self.receiving, self.near, self.sent)


@pytest.fixture
def relay(held: Held, ends: tuple[socket.socket, socket.socket]) -> Relay:
    """A worker with blocks enough."""
    return Relay(held, ends, 64 * MIB)


def test_should_lend_what_is_large(relay: Relay) -> None:
    relay.say(frame(b"small", 1) + frame(body(LARGE), 1) + frame(body(MIB)))
    assert relay.lent.used() == 2
    assert receive_all(relay.lent.far) == [[b"small", body(LARGE), body(MIB)]]
    assert relay.lent.used() == 0


def test_should_use_the_block_again_that_came_back_last(relay: Relay) -> None:
    for number in range(20):
        relay.say(frame(body(LARGE + number)))
        assert receive_all(relay.lent.far) == [[body(LARGE + number)]]
    assert sum(relay.lent.pool.describe()["free"].values()) * LARGE <= 2 * MIB
    assert relay.lent.used() == 0


def test_should_show_nothing_of_half_a_part(relay: Relay) -> None:
    octets = frame(body(MIB))
    relay.say(octets[:-1])
    assert receive_all(relay.lent.far) == []
    assert relay.lent.used() == 1
    relay.say(octets[-1:])
    assert receive_all(relay.lent.far) == [[body(MIB)]]


def test_should_take_the_block_back_when_the_stream_is_lost(relay: Relay) -> None:
    relay.say(frame(b"whole") + frame(body(LARGE), 1) + frame(body(MIB))[:-1])
    assert relay.lent.used() == 2
    relay.receiving.drop()
    relay.lent.pipe.forget_unfinished()
    assert relay.lent.used() == 0
    assert receive_all(relay.lent.far) == [[b"whole"]]


@pytest.mark.parametrize("pool", [0, SMALL_POOL])
def test_should_go_through_the_ring_where_no_block_is_to_be_had(
    held: Held, ends: tuple[socket.socket, socket.socket], pool: int
) -> None:
    relay = Relay(held, ends, pool)
    messages = [[body(LARGE + number)] for number in range(5)] + [[body(MIB)]]
    for [part] in messages:
        relay.say(frame(part))
    assert relay.lent.used() <= 2
    assert receive_all(relay.lent.far) == messages


def test_should_wait_for_a_large_body_in_large_pieces(relay: Relay) -> None:
    relay.say(frame(body(MIB))[:1000])
    assert low_mark(relay.near) >= 65536
    relay.say(frame(body(MIB))[1000:])
    assert low_mark(relay.near) == 1


@pytest.mark.parametrize("most", [1000, 65_536, 500_000, 8 * MIB])
def test_should_never_wait_for_more_than_is_to_come(relay: Relay, most: int) -> None:
    """Neither when all has been read nor when a turn ends because its share is used up."""
    frames = [frame(body(size)) for size in (70_000, MIB, 300, 5 * MIB, 65_536)]
    ends_at = list(accumulate(len(octets) for octets in frames))
    octets = b"".join(frames)
    relay.peer.setblocking(False)
    outcomes = set()
    sent = 0
    while relay.receiving.count < len(octets):
        with contextlib.suppress(BlockingIOError):
            sent += relay.peer.send(octets[sent : sent + most])
        outcomes.add(relay.receiving.receive())
        here = relay.receiving.count
        to_come = next((end - here for end in ends_at if end > here), 1)
        assert low_mark(relay.near) <= to_come
    assert low_mark(relay.near) == 1
    assert Turn.MORE in outcomes or most < 500_000


def low_mark(stream: socket.socket) -> int:
    """Return how many octets a stream must hold to be readable."""
    return stream.getsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT)
