"""Ctrl-C on Windows, which this package does not run on."""

from collections.abc import Callable
from types import TracebackType
from typing import Any


class allow_interrupt:
    """A ``with`` block in which Ctrl-C ends what blocks, as anywhere. *action* is not called."""

    def __init__(self, action: Callable[[], Any] | None = None) -> None:
        self.action = action

    def __enter__(self) -> "allow_interrupt":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing was changed."""
