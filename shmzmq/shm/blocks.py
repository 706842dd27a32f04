"""The block pool: where the payloads of large messages lie, once for all who receive them.

A pool belongs to a context. It hands out blocks of its own segments; what goes through a ring is a
descriptor. Only the owner frees: a block counts its uses (a loan to the user, a message being
sent, and one for each pipe that it was lent to) and is free again when there is none.

B1  A block is in its capacity's list of free ones exactly when it has no use and its slab is not
    retired. All of this is the owner's own memory; peers can write none of it.
B2  What a pipe was lent stands in that pipe's ledger (shmzmq/shm/ledger.py), and nowhere else.
B3  A slab is given back to the system only when none of its blocks has a use.

Free blocks are used last in, first out: the block that was returned last is still in the cache. The
GIL is the pool's lock; no method lets it go.
"""

import cython
from cython.cimports.cpython.buffer import PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.posix.mman import MADV_REMOVE, madvise
from cython.cimports.posix.unistd import usleep
from cython.cimports.shmzmq.shm.atomics import monotonic_ns, pause, store_release
from cython.cimports.shmzmq.shm.layout import RECORDS_START, PoolHeader
from cython.cimports.shmzmq.shm.ledger import Ledger

from ..errors import ZMQError
from . import segment as segments
from .layout import Kind

_PAGE = cython.declare(uint64_t, 4096)
# A slab holds as many blocks as come to this many bytes, but at least one; fewer to begin with.
_MOST_IN_SLAB = cython.declare(uint64_t, 8 << 20)
_FIRST_SLAB = cython.declare(uint64_t, 1 << 20)
_STALL_NS = cython.declare(int64_t, 200_000)
_PLAIN_NS_PER_BYTE = cython.declare(int64_t, 1)
_NAP_US = cython.declare(cython.uint, 50)
_LOOKS = cython.declare(cython.int, 32)


def capacity_for(size: uint64_t) -> uint64_t:
    """Return the size class of a payload of *size* bytes: four classes to each power of two."""
    return _class_of(size)


@cython.cfunc
@cython.exceptval(check=False)
def _class_of(size: uint64_t) -> uint64_t:
    step: uint64_t = _PAGE
    while step * 8 < size:
        step *= 2
    return max((size + step - 1) // step * step, _PAGE)


@cython.cclass
class Slab:
    """A segment of *blocks* blocks of *capacity* bytes. Raises ZMQError(ENOBUFS)."""

    def __cinit__(self, capacity: uint64_t, blocks: cython.int):
        self.segment = segments.create(Kind.POOL, RECORDS_START + capacity * blocks)
        PyObject_GetBuffer(self.segment.memory, cython.address(self.view), PyBUF_WRITABLE)
        self.base = cython.cast(cython.p_char, self.view.buf)
        self.serial = segments.SegmentName.parse(self.segment.name).serial
        self.capacity = capacity
        self.blocks = blocks
        segments.publish(self.segment)

    def __dealloc__(self):
        if self.view.buf != cython.NULL:
            PyBuffer_Release(cython.address(self.view))

    def retire(self):
        """Give the memory of the blocks back, take the name away, and tell readers to let go.

        Their mappings would keep the memory until they look at this pool again, which may be never.
        """
        header = cython.cast(cython.pointer(PoolHeader), self.base)
        store_release(cython.address(header.retired), 1)
        madvise(self.base + RECORDS_START, self.capacity * self.blocks, MADV_REMOVE)
        self.segment.unlink()


@cython.cclass
class Block:
    """*slab*'s block at *offset* of its segment. Its uses are the pool's to count."""

    def __init__(self, slab: Slab, offset: uint64_t):
        self.slab = slab
        self.offset = offset
        self.address = slab.base + offset


@cython.cclass
class Pool:
    """The blocks of a context: at most *limit* bytes of shared memory, 0 for no blocks at all."""

    def __init__(self, limit: uint64_t):
        self.limit = limit
        self.free = {}
        self.slabs = []
        self.ledgers = []

    def allocate(self, size, may_grow):
        """Return a block with one use for *size* bytes; None when there is none to be had.

        Without *may_grow* only one that was used before: it may still be in the cache.
        """
        if self.closed or size > self.limit:
            return None
        self.collect()
        block: Block = self._take(size)
        if block is None and may_grow:
            self.collect_from_dead()
            block = self._take(size)
            if block is None:
                block = self._grow(_class_of(size))
        return block

    def _take(self, size):
        """Take the free block of the class that wastes least, half of the block at most."""
        wanted: uint64_t = _class_of(size)
        best: list = self.free.get(wanted)
        least: uint64_t = 0
        if best:
            block: Block = best.pop()
            self.use(block)
            return block
        best = None
        for item in self.free.items():
            capacity: uint64_t = item[0]
            if wanted <= capacity <= 2 * wanted and item[1] and (best is None or capacity < least):
                best, least = item[1], capacity
        if best is None:
            return None
        block = best.pop()
        self.use(block)
        return block

    def _grow(self, capacity):
        there: uint64_t = self.reserved_for(capacity)
        wanted: uint64_t = min(max(there, _FIRST_SLAB), _MOST_IN_SLAB)
        count: uint64_t = max(wanted // capacity, 1)
        if not self._shed(RECORDS_START + count * capacity):
            count = 1
            if not self._shed(RECORDS_START + capacity):
                return None
        slab: Slab = self._make(capacity, count)
        if slab is None:
            return None
        count = slab.blocks
        self.slabs.append(slab)
        self.reserved += slab.segment.size
        free: list = self.free.setdefault(capacity, [])
        i: uint64_t
        for i in range(count):
            free.append(Block(slab, RECORDS_START + (count - 1 - i) * capacity))
        block: Block = free.pop()
        self.use(block)
        return block

    def _make(self, capacity, count):
        """Return a slab of *count* blocks, or of one; None when /dev/shm has no place for that.

        Whoever asked copies then, or waits for its reader.
        """
        try:
            return Slab(capacity, count)
        except ZMQError:
            pass
        if count == 1 and not self.give_back():
            return None
        return self._make(capacity, 1)

    def give_back(self):
        """Retire all slabs that nobody uses: /dev/shm is full. Whether there were any."""
        found: cython.bint = False
        for item in list(self.slabs):
            if cython.cast(Slab, item).in_use == 0:
                self._retire(item)
                found = True
        return found

    def _retire(self, slab):
        self.slabs.remove(slab)
        self.reserved -= slab.segment.size
        left = [block for block in self.free[slab.capacity] if block.slab is not slab]
        self.free[slab.capacity] = left
        slab.retire()
        return 0

    def _shed(self, wanted):
        """Retire slabs that nobody uses until *wanted* more bytes fit; false when they do not."""
        for item in list(self.slabs):
            if self.reserved + wanted <= self.limit:
                break
            slab: Slab = item
            if slab.in_use == 0:
                self._retire(slab)
        return self.reserved + wanted <= self.limit

    def use(self, block):
        """Count one use of *block* more."""
        block.uses += 1
        if block.uses == 1:
            block.slab.in_use += 1

    def release(self, block):
        """Count one use of *block* less; without any it is free (B1)."""
        block.uses -= 1
        if block.uses == 0:
            block.slab.in_use -= 1
            self.waited_in_vain = False
            if not self.closed:
                self.free[block.slab.capacity].append(block)
        return 0

    def reserved_for(self, size):
        """Return how many bytes of blocks there are in the size class of *size*."""
        capacity: uint64_t = _class_of(size)
        total: uint64_t = 0
        for item in self.slabs:
            slab: Slab = item
            if slab.capacity == capacity:
                total += slab.capacity * slab.blocks
        return total

    def collect(self):
        """Take back what readers have returned; a bounded number of ledgers in turn."""
        looks: cython.int = min(cython.cast(cython.int, len(self.ledgers)), _LOOKS)
        while looks > 0:
            looks -= 1
            if self.next >= len(self.ledgers):
                self.next = 0
            ledger: Ledger = self.ledgers[self.next]
            ledger.collect()
            if ledger.count:
                self.next += 1
                continue
            ledger.listed = False
            last = self.ledgers.pop()
            if self.next < len(self.ledgers):
                self.ledgers[self.next] = last
        return 0

    def collect_from_dead(self):
        """Look through all ledgers, and take everything back from readers that have died."""
        for item in self.ledgers:
            ledger: Ledger = item
            ledger.collect()
            ledger.take_from_dead()
            ledger.listed = ledger.count != 0
        self.ledgers = [ledger for ledger in self.ledgers if ledger.listed]

    def await_return(self, size):
        """Wait for a reader to return one of the blocks it was lent last; whether one has.

        Up to 200 µs, or what plain memory for *size* bytes would cost in page faults and a copy if
        that is more; and not again before something has come back since a wait in vain.
        """
        if not self.ledgers or (self.waited_in_vain and not self.has_returned()):
            return False
        ledger: Ledger = self.ledgers[len(self.ledgers) - 1]
        found: cython.bint = False
        with cython.nogil:
            begun: int64_t = monotonic_ns()
            now: int64_t = begun
            end: int64_t = begun + max(_STALL_NS, cython.cast(int64_t, size) * _PLAIN_NS_PER_BYTE)
            while not found and now < end:
                if now - begun < _STALL_NS:
                    pause()
                else:
                    usleep(_NAP_US)
                found = ledger.has_returned()
                now = monotonic_ns()
        self.waited_in_vain = not found
        return found

    def await_any_return(self, deadline):
        """Wait up to *deadline* until a reader returns a block; whether one has.

        Not again before something has come back since a wait in vain.
        """
        if not self.ledgers or (self.waited_in_vain and not self.has_returned()):
            return False
        while not self.has_returned():
            if monotonic_ns() >= deadline:
                self.waited_in_vain = True
                return False
            with cython.nogil:
                usleep(_NAP_US)
        return True

    def has_returned(self):
        """Whether a reader has returned something that was not collected yet."""
        found: cython.bint = False
        for item in self.ledgers:
            found = found or cython.cast(Ledger, item).has_returned()
        return found

    def enlist(self, ledger):
        """Look at *ledger* from now on: its pipe has been lent something."""
        self.ledgers.append(ledger)

    def close(self):
        """Take all names away: the context ends. Those who have blocks keep the memory."""
        self.closed = True
        for item in self.slabs:
            slab: Slab = item
            slab.segment.unlink()
        self.slabs = []
        self.free = {}
        self.ledgers = []

    def describe(self):
        """Return what there is: bytes reserved, and free and used blocks by their capacity."""
        used: dict = {}
        for item in self.slabs:
            slab: Slab = item
            used[slab.capacity] = used.get(slab.capacity, 0) + slab.in_use
        return {
            "reserved": self.reserved,
            "limit": self.limit,
            "free": {capacity: len(blocks) for capacity, blocks in self.free.items() if blocks},
            "used": {capacity: count for capacity, count in used.items() if count},
            "ledgers": len(self.ledgers),
        }
