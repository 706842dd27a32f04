"""faster-fifo: a queue over shared memory, in C++, with a lock and condition variables."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import SpawnContext
from pathlib import Path
from typing import Any

from benchmarks.cases import Case, Pattern, Role, Transport
from benchmarks.gates import Gates
from benchmarks.peers.interface import Channel, echo_plainly
from benchmarks.peers.packages import version_of

LENGTH_BYTES = 8  # in front of each message in the queue


@dataclass(frozen=True)
class FasterFifoPeer:
    """One queue for each direction, told to pass bytes as they are, so nothing is pickled."""

    name: str = "faster-fifo"
    transports: frozenset[Transport] = frozenset({Transport.IPC})
    patterns: frozenset[Pattern] = frozenset({Pattern.PUSH_PULL})

    def version(self) -> str:
        """Return the version of the package. Raises ImportError."""
        return version_of("faster-fifo", "faster_fifo")

    @contextmanager
    def wire(self, case: Case, spawn: SpawnContext, directory: Path) -> Iterator[tuple[Any, Any]]:
        """Make the queues, in anonymous shared memory."""
        queue = importlib.import_module("faster_fifo").Queue
        mark = case.high_water_mark
        size = mark * (case.size + LENGTH_BYTES)
        there, back = (
            queue(max_size_bytes=size, maxsize=mark, loads=bytes, dumps=bytes) for _ in range(2)
        )
        yield there, back

    @contextmanager
    def open(
        self, case: Case, role: Role, wiring: tuple[Any, Any], gates: Gates, *, duplex: bool
    ) -> Iterator[Channel]:
        """Put into one queue and get from the other."""
        put, get = wiring[role].put, wiring[role.other].get
        yield Channel(put, get, echo_plainly(put, get))

    def shut(self) -> None:
        """Do nothing: the queues end with their processes."""


PEER = FasterFifoPeer()
