"""Whether what arrived is right: each digest beside one computed directly."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from demo.sink import Harvest


@dataclass(frozen=True)
class Verdict:
    """The names of the files that something is wrong with."""

    wrong: list[str]
    missing: list[str]
    unexpected: list[str]

    @property
    def good(self) -> bool:
        """Return whether every file arrived once and with its digest."""
        return not (self.wrong or self.missing or self.unexpected)

    def complaints(self) -> list[str]:
        """Return one line for each file that something is wrong with."""
        return [
            *(f"wrong digest: {name}" for name in self.wrong),
            *(f"missing: {name}" for name in self.missing),
            *(f"not expected, or twice: {name}" for name in self.unexpected),
        ]


def judge(
    harvest: Harvest, root: Path, names: list[str], on_progress: Callable[[int], None]
) -> Verdict:
    """Read and hash every file in this process, and compare."""
    wrong, missing = [], []
    for number, name in enumerate(names, 1):
        if name not in harvest.digests:
            missing.append(name)
        elif sha256((root / name).read_bytes()).digest() != harvest.digests[name]:
            wrong.append(name)
        on_progress(number)
    return Verdict(wrong, missing, harvest.unexpected)
