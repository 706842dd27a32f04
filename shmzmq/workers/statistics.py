"""A worker's counters in its context's directory."""

from __future__ import annotations

import os
import time

from ..shm.directory import find_slot
from ..shm.layout import COUNTERS, Slot


class WorkerCounters:
    """The slot with *key* in the directory called *directory*; the worker is its one writer."""

    def __init__(self, directory: str, key: int) -> None:
        self._slot = find_slot(directory, key)
        self._index = {name: index for index, name in enumerate(COUNTERS[Slot.WORKER])}
        self._slot.set_counter(self._index["pid"], os.getpid())

    def note(self, loops: int, connections: int) -> None:
        """Store the counters, with the time as the heartbeat."""
        slot, index = self._slot, self._index
        slot.set_counter(index["heartbeat_ns"], time.monotonic_ns())
        slot.set_counter(index["loops"], loops)
        slot.set_counter(index["connections"], connections)
