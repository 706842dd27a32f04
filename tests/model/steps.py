"""The steps that the models can leave out, and where each stands in the code."""

from typing import NamedTuple


class Step(NamedTuple):
    """A step without which a model must show a violation.

    *pair* is the named pair that it belongs to, empty when it is no side of one. *path* and
    *function* say where it stands in the package, *text* what stands there.
    """

    name: str
    pair: str
    path: str
    function: str
    text: str


class Steps:
    """Which steps a model takes: all but the one left out."""

    def __init__(self, known: tuple[Step, ...], without: str | None) -> None:
        self._known = {step.name for step in known}
        if without is not None and without not in self._known:
            raise ValueError(f"{without!r} is none of {sorted(self._known)}")
        self._without = without

    def __call__(self, name: str) -> bool:
        """Tell whether the model takes the step called *name*."""
        if name not in self._known:
            raise ValueError(f"{name!r} is none of {sorted(self._known)}")
        return name != self._without
