"""How long to wait before dialling again (RECONNECT_IVL and RECONNECT_IVL_MAX of the manual)."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any


class Backoff:
    """Gives the pauses between attempts, in seconds; None: do not dial again.

    Without RECONNECT_IVL_MAX every pause is RECONNECT_IVL and up to as much again, chosen by chance
    so that many peers do not come back in one moment; with it pauses double from RECONNECT_IVL up
    to it.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._first_ms: int = options.get("RECONNECT_IVL", 100)
        self._most_ms: int = options.get("RECONNECT_IVL_MAX", 0)
        self._next_ms: int = self._first_ms

    def next_pause(self) -> float | None:
        """Return the pause before the next attempt."""
        if self._first_ms < 0:
            return None
        pause_ms = self._next_ms
        if self._most_ms > self._first_ms:
            self._next_ms = min(2 * max(pause_ms, 1), self._most_ms)
        elif self._first_ms:
            pause_ms += random.randrange(self._first_ms)
        return pause_ms / 1000

    def reset(self) -> None:
        """An attempt worked: begin with the shortest pause next time."""
        self._next_ms = self._first_ms
