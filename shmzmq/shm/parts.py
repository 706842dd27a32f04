"""Payloads that a ring names and that do not lie in it: in blocks, in boxes, and parcels.

A record says where its payload is; here that is found, and kept for as long as the reader needs it.

record             names                                 its payload is found as
BLOCK              a block of a pool (a descriptor)      a Lease, which gives the block back
BLOCK, in process  a parcel by its number                what was sent, by reference
BOX                a box                                 bytes, the value taken out of it

Whose they are: the payload at hand is the Consumer's (`part`) until it goes past the record. From
then on it is held here to the end of its message (`kept`), or, where its reader reads ahead, until
that is given back (`ahead`). Only then is a lease marked as read and may return its block (L2 in
ledger.py): the reader could die before, and the message be read again. Whoever looks at a lease
longer holds it himself.

Nothing here keeps a payload once it is found: `address` and `size` are valid as long as the object
that `find` returned.
"""

import cython
from cython.cimports.cpython.buffer import PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cython.cimports.cpython.bytes import PyBytes_AS_STRING
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.shmzmq.shm.atomics import load_relaxed
from cython.cimports.shmzmq.shm.box import BoxDesk
from cython.cimports.shmzmq.shm.layout import (
    DESCRIPTOR_SIZE,
    LOANS,
    RECORD_BOX,
    RECORDS_START,
    BlockDescriptor,
)
from cython.cimports.shmzmq.shm.lease import Lease, PoolView, give_back, lease_of
from cython.cimports.shmzmq.shm.records import MAX_NAME

from ..errors import ZMQError

_NO_PARCEL = cython.declare(uint64_t, 2**64 - 1)


@cython.cclass
class Parts:
    """What the reader of one ring finds outside of it, and holds. *memory* is the pipe's.

    *open_area*, *desk* and *parcels* are as for a Consumer. With neither desk nor parcels `follows`
    is false, and what a descriptor stands for is not to be asked.
    """

    def __cinit__(self, memory, open_area, desk, parcels):
        self.memory = memory
        self.boxes = BoxDesk(open_area)
        self.desk = desk
        self.parcels = parcels
        self.follows = desk is not None or parcels is not None

    def find(self, record, size, flags, position):
        """Return the payload that the record at *position* names, with `address` and `size` set.

        None: `reason` says what is wrong with the record, or is None where the value of a box went
        with an earlier record.
        """
        self.reason = None
        if flags == RECORD_BOX:
            return self._find_value(record, size, position)
        if size != DESCRIPTOR_SIZE:
            self.reason = f"a descriptor of {size} bytes at {position}"
            return None
        block = cython.cast(cython.pointer(BlockDescriptor), record)
        if self.parcels is None:
            return self._find_block(block)
        return self._find_parcel(load_relaxed(cython.address(block.loan)))

    def _find_parcel(self, number):
        part: object = self.parcels.get(number)
        if part is None:
            self.reason = f"a parcel {number} that is not there"
            return None
        view: Py_buffer
        PyObject_GetBuffer(part, cython.address(view), PyBUF_SIMPLE)
        self.address = cython.cast(cython.p_char, view.buf)
        self.size = view.len
        PyBuffer_Release(cython.address(view))  # the parcel does not change, and is kept
        self.parcel = number
        return part

    def _find_block(self, block):
        # Each word is read once: the peer could change it between a check and a use.
        serial: uint64_t = load_relaxed(cython.address(block.serial))
        offset: uint64_t = load_relaxed(cython.address(block.offset))
        size: uint64_t = load_relaxed(cython.address(block.size))
        loan: uint64_t = load_relaxed(cython.address(block.loan))
        if loan >= LOANS:
            self.reason = f"a loan {loan}: there are {LOANS}"
            return None
        try:
            pool: PoolView = self.desk.find(serial)
        except (ZMQError, OSError, OverflowError) as error:
            self.reason = f"a block in the pool {serial}: {error}"
            return None
        if offset < RECORDS_START or offset > pool.size or size > pool.size - offset:
            self.reason = f"a block of {size} bytes at {offset} of {pool.size}"
            return None
        lease: Lease = lease_of(pool.base + offset, size, pool)
        lease.pipe_memory = self.memory
        lease.word = cython.address(self.returned[loan >> 6])
        lease.mask = cython.cast(uint64_t, 1) << (loan & 63)
        self.address = lease.address
        self.size = size
        return lease

    def _find_value(self, record, size, position):
        name: bytes = record[: min(size, cython.cast(uint64_t, MAX_NAME))]
        try:
            value: bytes = self.boxes.find(name, position)
        except (ZMQError, OSError, ValueError, KeyError) as error:
            self.reason = f"a value in the box {name!r}: {error}"
            return None
        if value is not None:
            self.address = PyBytes_AS_STRING(value)
            self.size = len(value)
            self.parcel = _NO_PARCEL
        return value

    # -- what the reader has gone past -------------------------------------------------------------

    def keep(self, part):
        """The reader has gone past *part*, found last; it stays ours to the end of its message."""
        if self.kept is None:
            self.kept = []
        self.kept.append(part)
        if self.parcels is not None:
            self.parcels.pop(self.parcel, None)

    def let_go(self):
        """The message is read: its blocks return when nobody looks at them any more."""
        for item in self.kept or ():
            if isinstance(item, Lease):
                cython.cast(Lease, item).is_read = True
        self.kept = None

    def keep_ahead(self, part, end):
        """The reader has gone past *part*, up to *end*, and gives that back later."""
        if self.ahead is None:
            self.ahead = []
        self.ahead.append((end, part))

    def let_go_to(self, head):
        """What was read ahead is given back up to *head*."""
        self.kept = [part for end, part in self.ahead if end <= head]
        self.ahead = self.ahead[len(self.kept) :]
        self.let_go()

    # -- a reader that leaves: what it has not read is the producer's ------------------------------

    def abandon(self, part):
        """Let go of everything, *part* at hand too, and find nothing more."""
        self.follows = False
        self.kept = [*(self.kept or ()), part, *(part for _, part in self.ahead or ())]
        self.let_go()
        if self.parcels is not None:
            self.parcels.clear()
            self.parcels = None

    def leave_block(self, record, size):
        """Return the block of a descriptor unread; the producer has its own record of it."""
        if self.desk is None:
            return
        block = cython.cast(cython.pointer(BlockDescriptor), record)
        loan: uint64_t = load_relaxed(cython.address(block.loan))
        if size == DESCRIPTOR_SIZE and loan < LOANS:
            give_back(
                cython.address(self.returned[loan >> 6]), cython.cast(uint64_t, 1) << (loan & 63)
            )
            self.desk.forget(load_relaxed(cython.address(block.serial)))

    def leave_box(self, record, size):
        """Have the name of a box go, as all names on the way: its value is the producer's to know.

        False when there is no such box; `reason` says why.
        """
        name: bytes = record[: min(size, cython.cast(uint64_t, MAX_NAME))]
        try:
            self.boxes.open_box(name)
        except (ZMQError, OSError, ValueError, KeyError) as error:
            self.reason = f"a value in the box {name!r}: {error}"
            return False
        return True
