"""multiprocessing.Queue, from the standard library: a pipe, a feeder thread, pickled objects."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import SpawnContext
from multiprocessing.queues import Queue
from pathlib import Path

from benchmarks.cases import Case, Pattern, Role, Transport
from benchmarks.gates import Gates
from benchmarks.peers.interface import Channel, echo_plainly

Queues = tuple["Queue[bytes]", "Queue[bytes]"]


@dataclass(frozen=True)
class QueuePeer:
    """One queue for each direction, as long as the high water mark."""

    name: str = "mp.Queue"
    transports: frozenset[Transport] = frozenset({Transport.IPC})
    patterns: frozenset[Pattern] = frozenset({Pattern.PUSH_PULL, Pattern.REQ_REP})

    def version(self) -> str:
        """Return the version of Python, whose part it is."""
        return f"Python {platform.python_version()}"

    @contextmanager
    def wire(self, case: Case, spawn: SpawnContext, directory: Path) -> Iterator[Queues]:
        """Make the queues for the way there and the way back."""
        there, back = (spawn.Queue(case.high_water_mark) for _ in range(2))
        yield there, back
        for queue in (there, back):
            queue.close()

    @contextmanager
    def open(
        self, case: Case, role: Role, wiring: Queues, gates: Gates, *, duplex: bool
    ) -> Iterator[Channel]:
        """Put into one queue and get from the other."""
        outward, inward = wiring[role], wiring[role.other]
        yield Channel(outward.put, inward.get, echo_plainly(outward.put, inward.get))
        outward.close()
        outward.join_thread()

    def shut(self) -> None:
        """Do nothing: the queues end with their processes."""


PEER = QueuePeer()
