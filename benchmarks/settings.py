"""How long and how often to measure, and against whom."""

import os
from dataclasses import dataclass, field

from benchmarks.peers.registry import Roster


@dataclass(frozen=True)
class Settings:
    """What all benchmarks have in common."""

    roster: Roster
    rounds: int
    seconds: float  # that one measurement aims at
    time_limit_s: float  # after which one measurement has failed
    reference: str  # the library that the others are compared with
    # Processes that ran or wanted to, in the minute before: others than ours spoil the figures.
    load_before: float = field(default_factory=lambda: os.getloadavg()[0])

    def reference_among(self, names: list[str]) -> str | None:
        """Return the library to compare with, or None when there is nothing to compare."""
        return self.reference if self.reference in names and len(names) > 1 else None
