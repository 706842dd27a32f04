"""The segment that a pipe begins in, and the areas that it grows into: made, opened, checked."""

from __future__ import annotations

import errno
from typing import Final

from .errors import ZMQError
from .shm import chain
from .shm import segment as segments
from .shm.layout import OFFSETS, RECORDS_OFFSET, RING_CONTROL_OFFSETS, Kind
from .shm.liveness import ProcessId
from .shm.segment import Segment

_FIRST_RING: Final = 16 * 1024
_SMALL_RING: Final = 4 * 1024


def create_pipe_segment(
    *, outbound: int, inbound: int, private: bool = False, token: bytes = bytes(16)
) -> Segment:
    """Make a pipe segment whose rings can hold at least *outbound* and *inbound* bytes at first.

    A ring that a pattern hardly uses starts at 4 KiB, one that it uses at 16 KiB.
    Raises ZMQError(ENOBUFS) when /dev/shm is full.
    """
    sizes = [_power_of_two(max(size, _SMALL_RING)) for size in (outbound, inbound)]
    make = segments.create_private if private else segments.create
    segment = make(Kind.PIPE, RECORDS_OFFSET + sum(sizes), token=token)
    ring = OFFSETS["ring"]
    offset = RECORDS_OFFSET
    for control, size in zip(RING_CONTROL_OFFSETS, sizes, strict=True):
        segment.set_word(control + ring["offset"], offset)
        segment.set_word(control + ring["capacity"], size)
        offset += size
    segments.publish(segment)
    return segment


def check_pipe_segment(name: str, token: bytes, reader: ProcessId) -> Segment:
    """Return the segment *name* once it is sure to be the pipe with *token*.

    *reader* will read from it.

    From then on what it holds stays for the reader even if its maker dies. Raises ZMQError: ENOENT,
    EPROTO.
    """
    segment = segments.open_segment(name, Kind.PIPE)
    if segment.token != token:
        raise ZMQError(errno.EPROTO, f"the segment {name!r} belongs to another pipe")
    chain.claim(segment, reader)
    return segment


def ring_size(in_use: bool) -> int:
    """Return how many bytes a ring should start with: is it *in_use* by its pattern at all?"""
    return _FIRST_RING if in_use else _SMALL_RING


def _power_of_two(size: int) -> int:
    return 1 << (size - 1).bit_length()


def make_area(pipe_segment: Segment, side: int, capacity: int) -> Segment:
    """Make an area of *capacity* bytes for what *side* of the pipe writes; raises ZMQError."""
    private = segments.is_private(pipe_segment.name)
    make = segments.create_private if private else segments.create
    area = make(Kind.AREA, RECORDS_OFFSET + capacity, token=pipe_segment.token)
    # Whoever reads here is the far end: an area outlives its maker as long as that one lives.
    area.reader = pipe_segment.reader if side == 0 else pipe_segment.owner
    segments.publish(area)
    return area


def open_area(name: str, pipe_segment: Segment) -> Segment:
    """Map the area segment called *name* and take the name away: its producer has it mapped.

    It must belong to the pipe of *pipe_segment*, or a peer could have us take other pipes' areas
    away. Raises ZMQError: EPROTO when it does not, ENOENT when there is none.
    """
    if segments.is_private(name) != segments.is_private(pipe_segment.name):
        raise ZMQError(errno.EPROTO, f"an area {name!r} in the pipe {pipe_segment.name!r}")
    area = segments.open_segment(name, Kind.AREA)
    if area.token != pipe_segment.token:
        raise ZMQError(errno.EPROTO, f"the area {name!r} belongs to another pipe")
    segments.unlink(name)
    return area
