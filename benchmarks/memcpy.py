"""A limit of the machine: how often a second memory can be copied from one mapping to another."""

from itertools import repeat
from mmap import mmap
from time import perf_counter

from benchmarks.throughput import METRIC
from benchmarks.turn_about import Figures, Taker

NAME = "memcpy"
# Copies between two looks at the clock, as far as they take no longer than these bytes do.
COPIES_IN_A_ROW = 1000
BYTES_IN_A_ROW = 8 << 20


def copy_in_memory(size: int, seconds: float) -> Taker:
    """Return a taker that copies `size` bytes from one shared mapping to another, in one process.

    The copy is Python's own, of one memoryview to another, so small ones cost what the call costs.
    """
    row = max(1, min(COPIES_IN_A_ROW, BYTES_IN_A_ROW // size))

    def take() -> Figures:
        here, there = memoryview(mmap(-1, size)), memoryview(mmap(-1, size))
        here[:], there[:] = b"h" * size, b"t" * size
        count, started = 0, perf_counter()
        while (elapsed := perf_counter() - started) < seconds:
            for _ in repeat(None, row):
                there[:] = here
            count += row
        rate = count / elapsed
        return {METRIC: rate, "MB/s": rate * size / 1e6}

    return take
