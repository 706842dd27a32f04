"""Segments as numpy sees them, for whoever inspects one: views, not copies, nothing checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from .layout import OFFSETS, RING_CONTROL_OFFSETS, Kind, dtype
from .segment import Segment, open_segment


def segment_header(segment: Segment) -> Any:
    """Return the header of *segment* as a structured scalar view."""
    return np.frombuffer(memoryview(segment.memory), dtype("segment"), count=1)[0]


def ring_control(segment: Segment, index: int) -> Any:
    """Return the control block of ring *index* (0 or 1) of a pipe segment."""
    return np.frombuffer(
        memoryview(segment.memory), dtype("ring"), count=1, offset=RING_CONTROL_OFFSETS[index]
    )[0]


def ring_records(segment: Segment, index: int) -> Any:
    """Return the record bytes of the first area of ring *index* as a uint8 array."""
    control = RING_CONTROL_OFFSETS[index]
    fields = OFFSETS["ring"]
    offset, capacity = (segment.word(control + fields[name]) for name in ("offset", "capacity"))
    return np.frombuffer(memoryview(segment.memory), np.uint8, count=capacity, offset=offset)


def board(segment: Segment) -> Any:
    """Return a board segment as a structured scalar view."""
    return np.frombuffer(memoryview(segment.memory), dtype("board"), count=1)[0]


def inspect_pipe(name: str) -> tuple[Any, Any]:
    """Open the pipe segment called *name*, while it has its name, and return both control blocks.

    Raises ZMQError: ENOENT when there is none, EPROTO when it is something else.
    """
    segment = open_segment(name, Kind.PIPE)
    return ring_control(segment, 0), ring_control(segment, 1)
