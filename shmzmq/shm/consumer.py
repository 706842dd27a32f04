"""The reading end of a ring. The invariants I1 to I5 and the pairs stand in shmzmq/shm/ring.py.

A payload that does not lie in the ring is found and held by shmzmq/shm/parts.py.
"""

import errno

import cython
from cython.cimports.cpython.buffer import PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.shmzmq.shm.atomics import (
    load_acquire,
    load_relaxed,
    store_relaxed,
    store_release,
)
from cython.cimports.shmzmq.shm.batch import Batch
from cython.cimports.shmzmq.shm.layout import (
    RECORD_BLOCK,
    RECORD_BOX,
    RECORD_CHAIN,
    RECORD_COMMAND,
    RECORD_MORE,
    RECORD_PAD,
    RECORDS_START,
    PipeHeader,
)
from cython.cimports.shmzmq.shm.parts import Parts
from cython.cimports.shmzmq.shm.records import (
    MAX_NAME,
    RING_BROKEN,
    RING_EMPTY,
    RING_HELD,
    RING_OK,
    check_area,
    spanned,
)
from cython.cimports.shmzmq.shm.runs import Run, pack_run, take_run

from ..errors import ZMQError


@cython.cclass
class Consumer:
    """The reading end of a ring: *index* 0 or 1 of the pipe *segment*.

    *open_area(name)* maps the area segment called *name* and takes the name away. *desk* finds the
    pools that lent payloads lie in; without one a BLOCK record is its descriptor. *parcels* are the
    payloads that are on their way by reference, where both ends are in this process.
    Raises ZMQError(EPROTO) when the control block does not fit the segment.
    """

    def __cinit__(self, segment, index: cython.int, open_area, desk=None, parcels=None):
        PyObject_GetBuffer(segment.memory, cython.address(self.view), PyBUF_WRITABLE)
        header = cython.cast(cython.pointer(PipeHeader), self.view.buf)
        self.control = cython.address(header.ring[index])
        self.segment = segment
        self.open_area = open_area
        self.parts = Parts(segment.memory, open_area, desk, parcels)
        self.parts.returned = header.returned[index]
        offset: uint64_t = self.control.offset
        self.capacity = self.control.capacity
        check_area(segment, offset, self.capacity)
        self.data = cython.cast(cython.p_char, self.view.buf) + offset
        self.head = self.tail_seen = load_acquire(cython.address(self.control.head))
        self.read = load_relaxed(cython.address(self.control.read))
        self.bytes_read = load_relaxed(cython.address(self.control.bytes_read))
        self.mark(cython.address(self.last))
        if self.head & 7:
            raise ZMQError(errno.EPROTO, f"head {self.head} of a new ring is not a multiple of 8")

    def __dealloc__(self):
        if self.area_view.buf != cython.NULL:
            PyBuffer_Release(cython.address(self.area_view))
        if self.view.buf != cython.NULL:
            PyBuffer_Release(cython.address(self.view))

    def is_empty(self):
        """Whether nothing is published beyond what was read."""
        return self.head == load_acquire(cython.address(self.control.tail))  # pair "publish"

    def peek(self):
        """Find the next record: RING_OK with record, record_size, record_flags set, RING_EMPTY or
        RING_BROKEN. The record stays valid until advance.

        `record` is where the payload lies, in the ring or in a block. For one that does not lie in
        the ring `part` is set, an object that keeps it beyond advance.
        """
        while True:
            if self.broken:
                return RING_BROKEN
            if self.head == self.tail_seen:
                rc: cython.int = self.look_at_writer()
                if rc != RING_OK:
                    return rc
            place: uint64_t = (self.head - self.base) & (self.capacity - 1)
            # Read once: the peer could change it between a check and a use.
            head: uint64_t = load_relaxed(cython.cast(cython.pointer(uint64_t), self.data + place))
            size: uint64_t = head >> 8
            flags: cython.int = cython.cast(cython.int, head & 255)
            left: uint64_t = self.capacity - place
            if size > left - 8 or spanned(size) > self.tail_seen - self.head:
                return self.spoil(f"a record of {size} bytes, flags {flags:#x}, at {self.head}")
            self.record = self.data + place + 8
            self.record_size = size
            self.record_flags = flags
            if flags & ~RECORD_MORE == 0:
                return RING_OK
            rc = self.take_special(place)
            if rc != RING_EMPTY:
                return rc

    def look_at_writer(self):
        """Read the producer's tail afresh and hold it against what can be (I1, I3)."""
        tail: uint64_t = load_acquire(cython.address(self.control.tail))  # pair "publish"
        if self.overrun:
            return self.spoil(f"tail {tail}: no chain came where the area must have been full")
        if tail == self.head:
            return self.spoil("half a message") if self.in_message else RING_EMPTY
        if tail < self.head or tail & 7:
            return self.spoil(f"tail {tail} behind head {self.head}")
        if tail - self.head > self.capacity:
            # So much can be there only if the records go on in another area before that.
            self.overrun = True
            tail = self.head + self.capacity
        self.tail_seen = tail
        return RING_OK

    def take_special(self, place):
        """Go on behind a pad or a chain: RING_EMPTY. RING_OK: a command or a block."""
        if self.record_flags == RECORD_BOX and not self.in_message:
            return self.find_part()
        if self.record_flags & ~RECORD_MORE == RECORD_BLOCK:
            return self.find_part() if self.parts.follows else RING_OK
        if self.record_flags == RECORD_PAD:
            # A pad fills an area up to its end, and never a whole one.
            if place == 0 or self.record_size != self.capacity - place - 8:
                return self.spoil(f"a pad of {self.record_size} bytes at {self.head}")
            self.head += self.capacity - place
            return RING_EMPTY
        if self.record_flags == RECORD_CHAIN and self.stepped != self.released:
            return RING_HELD
        if self.record_flags == RECORD_CHAIN and not self.in_message:
            return RING_EMPTY if self.follow_chain() == RING_OK else RING_BROKEN
        if self.record_flags == RECORD_COMMAND and not self.in_message:
            return RING_OK
        return self.spoil(f"a record with flags {self.record_flags:#x} at {self.head}")

    def advance(self):
        """Go past the record found by peek; at the end of a message its space is free."""
        if self.part is not None:
            self.keep_part()
        else:
            self.head += spanned(self.record_size)
        if self.record_flags & RECORD_COMMAND == 0:
            self.bytes_read += self.record_size
        self.in_message = self.record_flags & RECORD_MORE
        if self.in_message:
            return
        if self.record_flags & RECORD_COMMAND == 0:
            self.read += 1
            store_relaxed(cython.address(self.control.bytes_read), self.bytes_read)
            store_relaxed(cython.address(self.control.read), self.read)
        store_release(cython.address(self.control.head), self.head)  # pair "free"
        if self.keeping:
            self.keeping = False
            self.parts.let_go()

    def take(self, batch, most, largest):
        """Put up to *most* messages of one part into *batch*, and return how many.

        Stops before whatever needs a closer look, which peek finds again: a part that others
        follow, a command, a payload in a block, one of more than *largest* bytes, nonsense. The
        space of all is given back at the end.
        """
        if self.in_message:
            return 0
        read: uint64_t = self.read
        try:
            # peek deals with pads, chains and nonsense; behind it the run goes on by itself.
            while self.read - read < most and self.peek() == RING_OK:
                if self.record_flags or self.record_size > largest:
                    break
                self._take_run(batch, most - (self.read - read), largest)
        finally:
            if self.read != read:
                store_relaxed(cython.address(self.control.bytes_read), self.bytes_read)
                store_relaxed(cython.address(self.control.read), self.read)
                store_release(cython.address(self.control.head), self.head)  # pair "free"
        return self.read - read

    def _take_run(self, batch, most, largest):
        """Take messages up to what was published when last looked, as peek would find them."""
        run: Run
        run.data = self.data
        run.base = self.base
        run.mask = self.capacity - 1
        run.position = self.head
        run.tail = self.tail_seen
        run.largest = largest
        run.count = run.total = 0
        try:
            if batch.items is None:
                batch.reserve(self.record_size)
                pack_run(cython.address(run), batch, most)
            else:
                take_run(cython.address(run), batch, most)
        finally:
            self.head = run.position
            self.bytes_read += run.total
            self.read += run.count
        return 0

    # -- reading ahead: records are used where they lie, and given back when that is done ----------

    def step(self):
        """Go past the record found by peek without giving its space back: `release` does that.

        peek answers RING_HELD where the next record lies in another area, which is entered only
        when all in this one has been released.
        """
        if self.part is not None:
            self.head += self.part_span
            self.parts.keep_ahead(self.part, self.head)
            self.part = None
        else:
            self.head += spanned(self.record_size)
        self.stepped += 1
        self.in_message = self.record_flags & RECORD_MORE
        if self.record_flags & RECORD_COMMAND == 0:
            self.bytes_read += self.record_size
            self.read += not self.in_message

    def mark(self, mark):
        """Note in *mark* the end of a message, up to which step has come."""
        mark.head = self.head
        mark.read = self.read
        mark.bytes_read = self.bytes_read
        mark.stepped = self.stepped

    def release(self, mark):
        """Give back everything up to *mark*: I3 holds, since it stands at the end of a message."""
        self.released = mark.stepped
        self.last = mark[0]
        store_relaxed(cython.address(self.control.bytes_read), mark.bytes_read)
        store_relaxed(cython.address(self.control.read), mark.read)
        store_release(cython.address(self.control.head), mark.head)  # pair "free"
        if self.parts.ahead:
            self.parts.let_go_to(mark.head)

    def rewind(self):
        """Go back to what was released last: what was stepped over since is read again."""
        self.head = self.tail_seen = self.last.head
        self.read = self.last.read
        self.bytes_read = self.last.bytes_read
        self.stepped = self.released = self.last.stepped
        self.in_message = self.overrun = False
        self.part = self.parts.ahead = None

    def spoil(self, reason):
        """Note that the peer wrote nonsense; nothing is read from this ring any more."""
        self.broken = True
        self.reason = reason
        return RING_BROKEN

    # -- payloads that do not lie in the ring ------------------------------------------------------

    def find_part(self):
        """Find the payload that the record at hand names. Whoever leaves asks for boxes only."""
        if self.leaving:
            left: cython.bint = self.parts.leave_box(self.record, self.record_size)
            return RING_OK if left else self.spoil(self.parts.reason)
        if self.part is None:
            self.part = self.parts.find(self.record, self.record_size, self.record_flags, self.head)
            if self.part is None:
                reason: object = self.parts.reason
                return self.pass_by() if reason is None else self.spoil(reason)
            self.part_span = spanned(self.record_size)
        self.record = self.parts.address
        self.record_size = self.parts.size
        return RING_OK

    def pass_by(self):
        """Go past the record at hand, whose value went with an earlier one."""
        if self.stepped != self.released:
            return RING_HELD
        self.head += spanned(self.record_size)
        self.read += 1
        self.mark(cython.address(self.last))
        store_relaxed(cython.address(self.control.read), self.read)
        store_release(cython.address(self.control.head), self.head)  # pair "free"
        return RING_EMPTY

    def keep_part(self):
        """Go past a payload that lies elsewhere; it is held to the end of its message."""
        self.head += self.part_span
        self.parts.keep(self.part)
        self.part = None
        self.keeping = True

    # -- other areas, and the end ------------------------------------------------------------------

    def follow_chain(self):
        """Move over to the area named in the chain record at hand (I4)."""
        if self.record_size > MAX_NAME:
            return self.spoil(f"a chain to a name of {self.record_size} bytes")
        name: bytes = self.record[: self.record_size]
        try:
            area = self.open_area(name.decode("ascii", "replace"))
        except (ZMQError, OSError, ValueError, KeyError) as error:
            return self.spoil(f"chain to {name!r}: {error}")
        self.head += spanned(self.record_size)
        if self.enter_area(area) != RING_OK:
            return RING_BROKEN
        if not self.leaving:
            self.mark(cython.address(self.last))
            store_release(cython.address(self.control.head), self.head)  # pair "free"
        return RING_OK

    def enter_area(self, segment):
        """Read from *segment* from here on."""
        size: uint64_t = segment.size
        capacity: uint64_t = size - RECORDS_START if size > RECORDS_START else 0
        if capacity < RECORDS_START or capacity & (capacity - 1):
            return self.spoil(f"an area of {capacity} bytes")
        if self.area_view.buf != cython.NULL:
            PyBuffer_Release(cython.address(self.area_view))
        PyObject_GetBuffer(segment.memory, cython.address(self.area_view), PyBUF_WRITABLE)
        self.data = cython.cast(cython.p_char, self.area_view.buf) + RECORDS_START
        self.capacity = capacity
        self.base = self.tail_seen = self.head
        self.overrun = False
        return RING_OK

    def abandon(self):
        """Read no more, and leave what is unread to the producer.

        The names of areas and pools on the way go, and nothing here looks at their blocks.
        """
        self.leaving = True
        self.parts.abandon(self.part)
        self.part = None
        self.keeping = False
        while self.peek() == RING_OK:
            if self.record_flags & RECORD_BLOCK:
                self.parts.leave_block(self.record, self.record_size)
            self._step_over()
        self.parts.desk = None

    def _step_over(self):
        """Go past the record at hand without telling the producer."""
        self.in_message = self.record_flags & RECORD_MORE
        self.head += spanned(self.record_size)

    # -- for tests, renewal and inspection ---------------------------------------------------------

    def resume(self, areas: list):
        """Read on where a dead consumer stopped.

        *areas* are the producer's, those it had left taken off.
        """
        if areas and areas[0][1] is not self.segment:
            self.enter_area(areas[0][1])
            self.base = areas[0][0]

    def pop(self):
        """Return (payload, flags) of the next record and go past it, None when there is none.

        Raises ZMQError(EPROTO) when the ring is broken.
        """
        rc: cython.int = self.peek()
        if rc == RING_BROKEN:
            raise ZMQError(errno.EPROTO, f"the ring is broken: {self.reason}")
        if rc == RING_EMPTY:
            return None
        payload: bytes = self.record[: self.record_size]
        flags: cython.int = self.record_flags
        if self.leaving:
            self._step_over()
        else:
            self.advance()
        return payload, flags

    def pop_many(self, batch: Batch, most: uint64_t, largest: uint64_t = 1 << 62):
        """Put up to *most* messages into *batch*, as far as they are of one part and lie here."""
        return self.take(batch, most, largest)

    def describe(self):
        """Return the consumer's view of positions and counts, by name."""
        return {
            "head": self.head,
            "tail_seen": self.tail_seen,
            "read": self.read,
            "base": self.base,
            "capacity": self.capacity,
            "broken": bool(self.broken),
            "reason": self.reason,
        }
