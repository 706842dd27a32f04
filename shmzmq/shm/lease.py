"""The reading side of lent blocks: views that return their block when the last of them goes.

A Lease stands for one payload in a block of another process, and is a buffer. Whoever takes a
memoryview or an array of it keeps it alive; when the last one goes, in whatever order and thread,
the loan's bit is set in the pipe segment and the block is its owner's again (shmzmq/shm/ledger.py).

A reader believes nothing: a pool is opened by the name that the owner must have made for this
process and pipe, it must be a pool, and is mapped for reading only.
"""

import os
import weakref

import cython
from cython.cimports.cpython.buffer import (
    PyBuffer_FillInfo,
)
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.shmzmq.shm.atomics import fetch_or, load_acquire
from cython.cimports.shmzmq.shm.forks import generation
from cython.cimports.shmzmq.shm.layout import PoolHeader

from ..errors import ZMQError
from . import segment as segments
from .layout import Kind
from .liveness import pid_namespace, this_process
from .segment import SegmentName, reader_tag


def _forget_parents_views():
    _views.clear()


os.register_at_fork(after_in_child=_forget_parents_views)


@cython.cclass
class PoolView:
    """The pool *segment* of another process."""

    def __cinit__(self, segment):
        self.memory = segment.memory
        address: cython.size_t = segment.memory.start
        self.base = cython.cast(cython.p_char, address)
        self.size = segment.size

    def is_retired(self):
        header = cython.cast(cython.pointer(PoolHeader), self.base)
        return load_acquire(cython.address(header.retired)) != 0


_views = weakref.WeakValueDictionary()


@cython.final
@cython.cclass
class PoolDesk:
    """Finds the pools that a pipe's far end has blocks in, by their serials.

    *who()* returns the far end's process.
    """

    who: object
    tag: object
    views: dict

    def __init__(self, who, token):
        self.who = who
        self.tag = reader_tag(token)
        self.views = {}

    def _name(self, serial):
        own = SegmentName(os.getuid(), pid_namespace(), self.who(), serial)
        return str(own), str(own._replace(reader=this_process(), tag=self.tag))

    def find(self, serial):
        """Return the PoolView of the pool with *serial*. Raises ZMQError: ENOENT, EPROTO."""
        view = self.views.get(serial)
        if view is None:
            for known, retired in [(number, held) for number, held in self.views.items()]:
                if cython.cast(PoolView, retired).is_retired():
                    del self.views[known]
            view = self.views[serial] = self._open(serial)
        return view

    def _open(self, serial):
        own, ours = self._name(serial)
        view = _views.get(own)
        if view is None:
            try:
                segment = segments.open_segment(ours, Kind.POOL, writable=False)
            except ZMQError:
                # Our name for it is used up: a reader before us here had it. Its owner lives.
                segment = segments.open_segment(own, Kind.POOL, writable=False)
            _views[own] = view = PoolView(segment)
        segments.unlink(ours)
        return view

    def forget(self, serial):
        """Take the name away that was made for us: what it is for will not be read here."""
        if serial not in self.views:
            segments.unlink(self._name(serial)[1])


@cython.cclass
class Lease:
    """A payload that was received without a copy: a buffer that cannot be written to."""

    def __getbuffer__(self, buffer: cython.pointer(Py_buffer), flags: cython.int):
        PyBuffer_FillInfo(
            buffer, self, cython.cast(cython.p_void, self.address), self.size, 1, flags
        )

    def __len__(self):
        return self.size

    def __bytes__(self):
        return self.copy()

    def __dealloc__(self):
        if self.word != cython.NULL and self.is_read and self.generation == generation:
            give_back(self.word, self.mask)

    def copy(self):
        return PyBytes_FromStringAndSize(self.address, self.size)


def lease_of(address, size, keeper):
    """Return a Lease of *size* bytes at *address* that keeps *keeper*."""
    lease: Lease = Lease.__new__(Lease)
    lease.address = address
    lease.size = size
    lease.keeper = keeper
    lease.generation = generation
    return lease


def give_back(word, mask):
    """Tell the owner of a block that nobody here looks at it any more."""
    fetch_or(word, mask)  # pair "return"


def as_bytes(part):
    """Return a part that was received as bytes: itself, or a copy of what it stands for."""
    if isinstance(part, bytes):
        return part
    if isinstance(part, Lease):
        return cython.cast(Lease, part).copy()
    return bytes(part)
