"""Names in shared memory that are given back however a run ends."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
# Each name of these benchmarks begins with this, the pid of the run, and a number.
PREFIX = "shm-bench-"
NUMBERS = itertools.count()


@contextmanager
def own_names() -> Iterator[str]:
    """Yield a prefix for names; what bears it is removed in the end.

    In the beginning goes what runs left that were killed.
    """
    remove_leftovers()
    prefix = f"{PREFIX}{os.getpid()}-{next(NUMBERS)}_"
    try:
        yield prefix
    finally:
        for path in SHARED_MEMORY.glob(f"{prefix}*"):
            path.unlink(missing_ok=True)


def remove_leftovers() -> None:
    """Remove the names of processes that are no more."""
    for path in SHARED_MEMORY.glob(f"{PREFIX}*-*"):
        pid = path.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and not Path("/proc", pid).exists():
            path.unlink(missing_ok=True)
