"""Large messages a second, with every way to send and receive them that a library has."""

from collections.abc import Iterable

from benchmarks import memcpy
from benchmarks.cases import Case, Pattern, Transport
from benchmarks.peers import pyzmq, shmzmq
from benchmarks.peers.zeromq import ZeromqPeer
from benchmarks.settings import Settings
from benchmarks.throughput import METRIC, Throughput
from benchmarks.turn_about import Question, Taker

SIZES = (64 << 10, 1 << 20, 16 << 20)

# The styles of each library, by the name that it has in the roster.
STYLES: dict[str, tuple[ZeromqPeer, ...]] = {
    shmzmq.PEER.name: (shmzmq.PEER, shmzmq.VIEWING, shmzmq.LENDING),
    pyzmq.PEER.name: (pyzmq.PEER, pyzmq.NOT_COPYING),
}


def questions(sizes: Iterable[int], settings: Settings) -> list[Question]:
    """Return one question for each size: how many messages PUSH/PULL over ipc carries a second."""
    styles = [
        style for peer in settings.roster.zeromq() for style in STYLES.get(peer.name, (peer,))
    ]
    found = []
    for size in sizes:
        case = Case(Pattern.PUSH_PULL, Transport.IPC, size)
        takers: dict[str, Taker] = {
            style.name: Throughput(style, case, settings.seconds, settings.time_limit_s)
            for style in styles
        }
        takers[memcpy.NAME] = memcpy.copy_in_memory(size, settings.seconds)
        reference = settings.reference_among(list(takers))
        found.append(Question("zero-copy", case.labels(), takers, METRIC, True, reference))
    return found
