"""What a session takes goes with it, at once: nothing waits for the collector of cycles."""

import gc
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.pipe_ends import Held
from support.raw_peer import GREETING, frame, ready

from shmzmq.shm.board import create_board
from shmzmq.shm.liveness import this_process
from shmzmq.shm.segment import unlink
from shmzmq.workers.announcer import Announcer
from shmzmq.workers.commands import PeerEnd
from shmzmq.workers.exchange import Exchange
from shmzmq.workers.hosting import HostedSocket
from shmzmq.workers.kept import KeptPipe
from shmzmq.workers.lookup import Lookups
from shmzmq.workers.reactor import Reactor
from shmzmq.workers.session import Session, Workplace

KINDS = {
    "Session", "ByteStream", "HandedOver", "RelayedTraffic", "Connection", "Traffic", "Sending",
    "Receiving", "Pipe", "Producer", "Consumer", "Lending", "Timer", "PoolDesk",
}  # fmt: skip

ENDS: dict[str, Callable[[socket.socket], None]] = {
    "a silent one": lambda peer: None,
    "garbage": lambda peer: peer.sendall(b"GET / HTTP/1.1\r\n\r\n"),
    "half a handshake": lambda peer: peer.sendall(GREETING),
    "shaken hands": lambda peer: peer.sendall(GREETING + ready(b"PUSH")),
    "a message": lambda peer: peer.sendall(GREETING + ready(b"PUSH") + frame(b"x" * 100)),
    "a large one": lambda peer: peer.sendall(
        GREETING + ready(b"PUSH") + frame(b"x" * 70_000) + b"\2" + (1 << 20).to_bytes(8) + b"half"
    ),
    "an offer to share memory": lambda peer: peer.sendall(
        GREETING + ready(b"PUSH") + b"\x04\x06\x05SHMGO"
    ),
}


class Owner:
    """Has one session at a time, and stops the reactor when it has ended."""

    def __init__(self, reactor: Reactor, hosted: HostedSocket) -> None:
        self.announcer = Announcer(hosted, lambda packet, fds: None, "")
        self.session: Session | None = None
        self._reactor = reactor

    def session_ready(self, session: Session, peer: PeerEnd, doorbell_fd: int) -> None:
        """The application would take up the pipe, by its name."""
        socket.close(doorbell_fd)
        unlink(session.segment)

    def session_taken(self, session: Session) -> None:
        """There is no application that could say goodbye."""
        raise AssertionError

    def find_kept(self, token: bytes) -> KeptPipe | None:
        """There are no links to take up."""
        return None

    def session_cut(self, session: Session, pipe: KeptPipe) -> None:
        """There are no links that could break."""
        raise AssertionError

    def session_ended(self, session: Session, reason: str, *, was_ready: bool) -> None:
        """Forget it."""
        self.session = None
        self._reactor.stop()


@pytest.fixture
def no_collector() -> Iterator[None]:
    """What forms a cycle stays."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def census() -> Counter[str]:
    """Count the objects that a session consists of."""
    return Counter(name for item in gc.get_objects() if (name := type(item).__name__) in KINDS)


@pytest.mark.parametrize("way", ENDS)
def test_nothing_is_left_of_it(no_collector: None, held: Held, way: str) -> None:
    reactor = Reactor()
    exchange = Exchange(reactor)
    assert exchange.lender.pool is not None
    exchange.lender.pool.limit = 1 << 26
    workplace = Workplace(reactor, exchange, Lookups(reactor))
    board = create_board()
    hosted = HostedSocket(1, board, this_process())
    owner = Owner(reactor, hosted)
    options: dict[str, Any] = {"HEARTBEAT_IVL": 1000}

    def come_and_go() -> None:
        near, far = socket.socketpair()
        near.setblocking(False)
        owner.session = Session(
            workplace, near, hosted, options, "PULL", owner, peer_address="", shares=True
        )
        ENDS[way](far)
        far.shutdown(socket.SHUT_WR)
        owner.session.start()
        if owner.session is not None:
            reactor.run(exchange, lambda: None)
        far.close()

    come_and_go()  # what is made once
    before = census()
    for _ in range(3):
        come_and_go()
    after = census()
    exchange.close()
    unlink(board.name)
    assert after == before
