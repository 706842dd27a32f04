"""The lists of libraries, and which of them can run here."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from benchmarks.peers import (
    faster_fifo,
    iceoryx2,
    mp_pipe,
    mp_queue,
    nng,
    pyzmq,
    shared_memory,
    shmzmq,
)
from benchmarks.peers.interface import Peer
from benchmarks.peers.zeromq import ZeromqPeer

# What has sockets, or can stand in for some.
PEERS: tuple[Peer, ...] = (shmzmq.PEER, pyzmq.PEER, mp_pipe.PEER, mp_queue.PEER)

# All that carries messages from one process to another. A name with a comma is a library in another
# style, without copies.
COMPARED: tuple[Peer, ...] = (
    shmzmq.PEER,
    shmzmq.LENDING,
    pyzmq.PEER,
    pyzmq.NOT_COPYING,
    shared_memory.COPYING,
    shared_memory.IN_PLACE,
    iceoryx2.COPYING,
    iceoryx2.IN_PLACE,
    faster_fifo.PEER,
    nng.PEER,
    mp_pipe.PEER,
    mp_queue.PEER,
)


@dataclass
class Roster:
    """The libraries of this run: those that can be measured, and why the others cannot."""

    present: list[Peer] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def vary(self, name: str, styles: Callable[[ZeromqPeer], Iterable[Peer]]) -> None:
        """Have the styles of the library *name*, which has pyzmq's API, take its place."""
        self.present = [
            style
            for peer in self.present
            for style in (
                styles(peer) if peer.name == name and isinstance(peer, ZeromqPeer) else [peer]
            )
        ]

    def zeromq(self) -> list[ZeromqPeer]:
        """Return those with pyzmq's API."""
        return [peer for peer in self.present if isinstance(peer, ZeromqPeer)]


def muster(peers: Iterable[Peer]) -> Roster:
    """Return the roster of `peers`, by trying to import each."""
    roster = Roster()
    for peer in peers:
        try:
            roster.versions[peer.name] = peer.version()
        except ImportError as reason:
            roster.missing[peer.name] = str(reason)
        else:
            roster.present.append(peer)
    return roster
