"""CONFLATE: how a pipe keeps only the last message that was written to it.

What is written lies in the ring, not yet published, when its message is complete. From there it is
moved into a box (shmzmq/shm/box.py), and the ring gets a record that names the box, unless it has
one already whose value nobody has taken. So the memory for a reader that does not read is that of
a box, whatever is sent to it.

A box is made when the first message comes and when one does not fit; a later one is at least twice
as large as the one before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from .errors import ZMQError
from .shm.box import Box, capacity_for
from .shm.layout import Record

if TYPE_CHECKING:
    from .shm.ring import Producer
    from .shm.segment import Segment

_LEAST: Final = 1016  # with its size in front, a whole number of lines


class Merger:
    """Has the ring of one producer after another hold the last message only.

    *make_area(capacity)* returns a new area segment, or raises ZMQError.
    """

    def __init__(self, make_area: Callable[[int], Segment]) -> None:
        self._make_area = make_area
        self._boxes: list[Box] = []

    def merge(self, out: Producer) -> None:
        """Put the message that is written to *out* and not yet published into the box."""
        written = out.pending_parts()
        parts = [part for part in written if not part[1] & Record.COMMAND]
        if not parts or parts[-1][1] & Record.BLOCK:
            return
        value = parts[-1][0]
        try:
            box = self._box_for(len(value))
            out.forget()
            if box.put(value):
                out.push(box.name.encode(), Record.BOX)
        except ZMQError:
            # No memory for a box, or the reader wrote nonsense into it: the ring says what comes.
            out.forget()
            out.push(value, 0)

    def _box_for(self, size: int) -> Box:
        if self._boxes and self._boxes[-1].most >= size:
            return self._boxes[-1]
        least = 2 * self._boxes[-1].most if self._boxes else _LEAST
        box = Box(self._make_area(capacity_for(max(size, least))))
        box.begin()
        self._boxes.append(box)
        return box

    def latest(self, name: bytes) -> bytes:
        """Return the last value of the box called *name*, whether it was taken or not."""
        return next(box.latest() for box in self._boxes if box.name.encode() == name)

    def segments(self) -> list[Segment]:
        """Return the segments of all boxes."""
        return [box.segment for box in self._boxes]

    def begin_anew(self) -> None:
        """The ring begins anew: what was in the boxes has been copied."""
        self._boxes.clear()
