"""A box holds one value, the last that was put in: what a pipe that conflates keeps for its reader.

It has three slots. One is the writer's, one is the reader's, and `middle` says which lies between
them, and whether its value is FRESH: nobody has taken it yet. Putting a value in and taking it out
are an exchange of one's own slot for the one in the middle, so neither side ever waits for the
other, and none looks at memory that the other may write to.

The ring says that there is something in the box: a record with the box's name is written for every
value that took the place of one that was not fresh. So there is a record for each fresh value, and
a reader that sleeps finds one record and the last value, whatever was put in meanwhile. A record
may be found whose value went with an earlier one.

`middle` is the only shared word, and both exchange it. At first the writer's slot is 0, 1 lies in
the middle, and the reader's is 2; a box has one reader, which takes its name away.

B1  {the writer's slot, the middle one, the reader's} are 0, 1 and 2 in some order.
B2  A slot is written to by the writer alone, and only while it is the writer's.

Pair "value": the writer's exchange releases what it wrote into the slot, the reader's acquires it;
and the reader's releases the slot that it has copied, the writer's acquires it.
"""

import errno

import cython
from cython.cimports.cpython.buffer import PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.libc.string import memcpy
from cython.cimports.shmzmq.shm.atomics import (
    exchange,
    load_relaxed,
    store_release,
)
from cython.cimports.shmzmq.shm.layout import RECORDS_START, BoxHeader

from ..errors import ZMQError

_FRESH = cython.declare(uint64_t, 4)
_SLOTS = cython.declare(uint64_t, 3)
_LINE = cython.declare(uint64_t, 64)


def capacity_for(size: uint64_t):
    """Return how many bytes behind the header a box takes for values of up to *size* bytes."""
    return 3 * ((size + 8 + _LINE - 1) & ~(_LINE - 1))


@cython.cclass
class Box:
    """One end of the box in *segment*, an area of a pipe. Raises ZMQError(EPROTO): it is none."""

    def __cinit__(self, segment):
        PyObject_GetBuffer(segment.memory, cython.address(self.view), PyBUF_WRITABLE)
        self.segment = segment
        self.mine = 2
        self.header = cython.cast(cython.pointer(BoxHeader), self.view.buf)
        size: uint64_t = segment.size
        self.stride = (size - RECORDS_START) // 3 & ~(_LINE - 1) if size > RECORDS_START else 0
        if self.stride < _LINE:
            raise ZMQError(errno.EPROTO, f"a box of {size} bytes")

    def __dealloc__(self):
        PyBuffer_Release(cython.address(self.view))

    @property
    def name(self):
        """The segment's name."""
        return self.segment.name

    @property
    def most(self):
        """How large a value may be, in bytes."""
        return self.stride - 8

    def slot(self, index):
        return cython.cast(cython.p_char, self.view.buf) + RECORDS_START + index * self.stride

    # -- the writer --------------------------------------------------------------------------------

    def begin(self):
        """This is the writer's end of a box that nobody else knows yet."""
        self.mine = 0
        store_release(cython.address(self.header.middle), 1)

    def put(self, value: bytes):
        """Put *value* in; whether the ring has to say so. It must not be larger than `most`.

        Raises ZMQError(EPROTO) when the reader wrote nonsense.
        """
        slot: cython.p_char = self.slot(self.mine)
        cython.cast(cython.pointer(uint64_t), slot)[0] = len(value)
        memcpy(slot + 8, cython.cast(cython.p_char, value), len(value))
        # pair "value": what was written is the reader's to see, what it gave back is ours to write
        before: uint64_t = exchange(cython.address(self.header.middle), self.mine | _FRESH)
        if before & ~_FRESH >= _SLOTS:
            raise ZMQError(errno.EPROTO, f"the slot {before} in the middle of a box")
        self.last = self.mine
        self.mine = before & ~_FRESH
        return before & _FRESH == 0

    def latest(self):
        """Return the value that was put in last, taken or not."""
        return self.value_in(self.last)

    # -- the reader --------------------------------------------------------------------------------

    def take(self):
        """Return the value if it is fresh, or else None. Raises ZMQError(EPROTO) for nonsense."""
        if load_relaxed(cython.address(self.header.middle)) & _FRESH == 0:
            return None
        # pair "value": what the writer wrote is ours to see, what we have copied is its to write
        before: uint64_t = exchange(cython.address(self.header.middle), self.mine)
        if before & ~_FRESH >= _SLOTS:
            raise ZMQError(errno.EPROTO, f"the slot {before} in the middle of a box")
        self.mine = before & ~_FRESH
        return self.value_in(self.mine)

    def value_in(self, index):
        slot: cython.p_char = self.slot(index)
        # Read once: the peer could change it between a check and a use.
        size: uint64_t = load_relaxed(cython.cast(cython.pointer(uint64_t), slot))
        if size > self.stride - 8:
            raise ZMQError(errno.EPROTO, f"a value of {size} bytes in a box of {self.stride - 8}")
        return PyBytes_FromStringAndSize(slot + 8, size)


@cython.cclass
class BoxDesk:
    """Takes values out of the boxes that a ring names. *open_area* is its consumer's."""

    def __cinit__(self, open_area):
        self.open_area = open_area

    def open_box(self, name: bytes):
        """Open the box called *name*, unless it is open. Raises what open_area raises, ZMQError."""
        if self.box is None or name != self.name:
            self.box = Box(self.open_area(name.decode("ascii", "replace")))
            self.name = name
            self.value = None

    def find(self, name: bytes, position: uint64_t):
        """Return the value for the record at *position*, None when it went with an earlier one.

        Asked again for the record asked for last, it returns the same. Raises as `open_box`.
        """
        self.open_box(name)
        if self.value is None or position != self.position:
            self.value = self.box.take()
            self.position = position
        return self.value
