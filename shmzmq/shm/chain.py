"""The areas that the first ring of a pipe has grown into, for whoever does not read it.

What a ring holds stands in the pipe's segment and, where that was too small, in areas that it names
one after the other (ring.py, I4). Their names are the reader's to take away. Here they are found
for the two who come before it or instead of it: the worker that accepts the pipe, and the process
that will not.

Pair "claim": the reader's id in the pipe, fence, walk in claim -> tail, fence, look at the reader
in Producer.grow. An area that is made meanwhile is found by the walk, or its maker sees whose it
is. Without that the sweep might take it away once its maker has died.
"""

import errno

import cython
from cython.cimports.shmzmq.shm.atomics import fence

from ..errors import ZMQError
from . import segment as segments
from .layout import Kind
from .liveness import ProcessId
from .ring import Consumer
from .segment import Segment

_MOST_AREAS = cython.declare(cython.int, 64)  # each is at least twice as large as the one before


def claim(pipe: Segment, reader: ProcessId) -> None:
    """Note *reader* in the pipe and in its areas: they stay for it even if their maker dies.

    Raises ZMQError when the ring or what it names makes no sense.
    """
    pipe.reader = reader
    fence()  # pair "claim": an area is found in the ring, or its maker knows its reader
    for area in _areas(pipe):
        area.reader = reader


def release(pipe: Segment) -> None:
    """Undo claim: nobody reads the pipe here after all, and its maker may offer it to another."""
    claim(pipe, ProcessId(0, 0))


def unlink(name: str) -> None:
    """Take away the names of the pipe called *name* and of its areas: nobody will read them."""
    try:
        areas = _areas(segments.open_segment(name, Kind.PIPE))
    except ZMQError:
        areas = []  # its maker has taken them away, or they are not ours to touch
    for area in areas:
        area.unlink()
    segments.unlink(name)


def _areas(pipe: Segment) -> list[Segment]:
    """Return the areas that hold what was written and not read, oldest first."""
    found: list[Segment] = []

    def open_area(name: str) -> Segment:
        area = segments.open_segment(name, Kind.AREA)
        if area.token != pipe.token or segments.is_private(name) or len(found) == _MOST_AREAS:
            raise ZMQError(
                errno.EPROTO, f"the area {name!r} has no place in the pipe {pipe.name!r}"
            )
        found.append(area)
        return area

    Consumer(pipe, 0, open_area).abandon()
    return found
