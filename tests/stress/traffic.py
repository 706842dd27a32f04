"""Messages of random shape and size, the same for the same seed, and random pauses."""

import os
import random
import time
from collections.abc import Iterator

_POOL_SIZE = 1 << 20
_LARGEST = 300 * 1024
_PAUSES_NS = (0, 0, 0, 20_000, 200_000, 3_000_000)


class Traffic:
    """What one sender sends. Iterating gives its messages, lists of parts.

    *tagged*: each message begins with a part that tells the seed.
    """

    def __init__(self, seed: int, count: int, *, tagged: bool = False) -> None:
        self._tag = [b"%d" % seed] if tagged else []
        self._chosen = random.Random(seed)
        self._pool = random.Random(f"pool {seed}").randbytes(_POOL_SIZE)
        self._count = count

    def __iter__(self) -> Iterator[list[bytes]]:
        for _ in range(self._count):
            yield self._tag + [self._part() for _ in range(self._parts())]

    def _parts(self) -> int:
        return self._chosen.choice((1, 1, 1, 1, 2, 3, self._chosen.randrange(1, 40)))

    def _part(self) -> bytes:
        most = self._chosen.choice((1, 8, 64, 64, 64, 1000, 1000, 5000, 5000, 20_000, _LARGEST))
        size = self._chosen.randrange(most + 1)
        start = self._chosen.randrange(_POOL_SIZE - size)
        return self._pool[start : start + size]


class Pauses:
    """Now and then keeps its process busy, so long that the other side goes to sleep, or not."""

    def __init__(self, seed: int, every: int = 20) -> None:
        self._chosen = random.Random(f"pauses {seed}")
        self._every = every

    def take(self) -> None:
        """Make a pause, or none."""
        if self._chosen.randrange(self._every):
            return
        end = time.perf_counter_ns() + self._chosen.choice(_PAUSES_NS)
        while time.perf_counter_ns() < end:
            os.sched_yield()
