"""What a worker that died had not written yet of the messages for peers that had connected.

Such a peer finds the next worker by itself, and its connection is a new one with a pipe of its own.
Where any peer may have a message, whoever comes first gets what one connection had left; where a
message is for one peer only, that is known by the routing id that it gave itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..renewal import say_again, unread

if TYPE_CHECKING:
    from ..patterns.pattern import Pattern
    from ..pipe import Pipe

Parts = list[tuple[bytes, int]]


class Unwritten:
    """The messages of one bound endpoint that wait for peers to come again."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str | None, Parts]] = []

    def keep(self, pipe: Pipe, pattern: Pattern) -> None:
        """Keep what was sent on *pipe* and not read, unless nobody would know whom it is for."""
        name = _addressee(pipe, pattern)
        if name == "" or not pattern.keeps_outbound or pipe.is_broken or pipe.unwanted:
            return
        parts = unread(pipe)
        if parts:
            self._waiting.append((name, parts))

    def hand_over(self, pipe: Pipe, pattern: Pattern) -> None:
        """Send on *pipe*, whose peer has come, what waits for it; all else comes behind that."""
        name = _addressee(pipe, pattern)
        for at, (waits_for, parts) in enumerate(self._waiting):
            if waits_for == name:
                left = say_again(pipe, parts)
                self._waiting[at : at + 1] = [(name, left)] if left else []
                return


def _addressee(pipe: Pipe, pattern: Pattern) -> str | None:
    """Return who gets what is sent on *pipe*: None for anybody, "" for one who gave no name."""
    return None if pattern.for_anyone else pipe.metadata.get("Identity", "")
