"""The ring: one producer, one consumer, whole messages, growth by chaining.

I1  0 <= tail - max(head, base) <= capacity; positions count bytes and only grow; the place of
    position p in the current area is (p - base) modulo capacity, capacity a power of two.
I2  [head, tail) belongs to the consumer, all else of the area to the producer.
I3  tail moves only over whole messages, so a reader never sees half of one, and a producer that
    dies in the middle of one leaves nothing behind. head moves only over whole messages too, so a
    message that its reader died over is still there.
I4  After a CHAIN record at position p the records go on at p + its size, at the start of the area
    named in it. The producer keeps CHAIN_RESERVE bytes free so that a chain can always be written.
I5  Each side believes nothing that the other wrote: sizes, positions and counts that do not fit
    what it knows end the ring, and no byte outside the area is touched.

word       written by              read by    pair of cache lines
tail       producer (publish)      consumer   1
written    producer                both       1   messages; with `read` the high water mark
head       consumer (advance)      producer   2
read       consumer                both       2
attentive  consumer                producer   3   the pipe's business, see shmzmq/pipe.py
waiting    producer, consumer      both       3   likewise

Pair "publish": release of tail in Producer.publish -> acquire of tail in Consumer.peek and
is_empty: the records and `written` are there.
Pair "free": release of head in Consumer.advance -> acquire of head in Producer.look_at_reader: the
space is the producer's, and `read` counts what was taken.

Each side caches the other's position and looks again only when it must. A dead producer leaves at
most unpublished bytes behind the tail: nothing to repair. A dead consumer leaves head at a message
boundary.
"""

import errno

import cython
from cython.cimports.cpython.buffer import (
    PyBUF_WRITABLE,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.string import memcpy
from cython.cimports.shmzmq.shm.atomics import (
    load_acquire,
    load_relaxed,
    monotonic_ns,
    pause,
    store_relaxed,
    store_release,
)
from cython.cimports.shmzmq.shm.layout import (
    RECORD_CHAIN,
    RECORD_COMMAND,
    RECORD_MORE,
    RECORD_PAD,
    RECORDS_START,
    PipeHeader,
    RingControl,
    SegmentHeader,
)

from ..errors import ZMQError

_MAX_NAME = cython.declare(uint64_t, 88)
# A pad up to the end of the area and the chain record behind it.
CHAIN_RESERVE = cython.declare(uint64_t, 2 * (8 + 88))
_STALL_FROM = cython.declare(uint64_t, 256 * 1024)
_STALL_NS = cython.declare(int64_t, 200_000)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _record_size(size: uint64_t) -> uint64_t:
    return 8 + ((size + 7) & ~cython.cast(uint64_t, 7))


@cython.cclass
class Producer:
    """The writing end of a ring: *index* 0 or 1 of the pipe *segment*.

    *limit* is the high water mark in messages, 0 for none. *make_area(capacity)* returns a new,
    published area segment with that many bytes for records, or raises ZMQError.
    Raises ZMQError(EPROTO) when the control block does not fit the segment.
    """

    def __cinit__(self, segment, index: cython.int, limit: uint64_t, make_area):
        PyObject_GetBuffer(segment.memory, cython.address(self.view), PyBUF_WRITABLE)
        header = cython.cast(cython.pointer(PipeHeader), self.view.buf)
        self.control = cython.address(header.ring[index])
        self.segment = segment
        self.make_area = make_area
        self.limit = limit
        self.areas = []
        offset: uint64_t = self.control.offset
        self.capacity = self.control.capacity
        _check_area(segment, offset, self.capacity)
        self.data = cython.cast(cython.p_char, self.view.buf) + offset
        self.tail = self.published = load_acquire(cython.address(self.control.tail))
        self.written = load_relaxed(cython.address(self.control.written))
        self.bytes_written = load_relaxed(cython.address(self.control.bytes_written))
        self.head_seen = load_acquire(cython.address(self.control.head))
        self.read_seen = load_relaxed(cython.address(self.control.read))
        if self.head_seen > self.tail or self.tail - self.head_seen > self.capacity:
            raise ZMQError(errno.EPROTO, f"positions of a new ring do not fit: {self.describe()}")

    def __dealloc__(self):
        if self.area_view.buf != cython.NULL:
            PyBuffer_Release(cython.address(self.area_view))
        if self.view.buf != cython.NULL:
            PyBuffer_Release(cython.address(self.view))

    def has_room(self):
        """Whether the high water mark lets another message in.

        Bytes are found when it is written.
        """
        if self.limit == 0 or self.written - self.read_seen < self.limit:
            return not self.broken
        self.look_at_reader()
        return not self.broken and self.written - self.read_seen < self.limit

    def write(self, data, size, flags):
        """Add a record that is not yet visible. The high water mark is the caller's to ask for.

        Without *data* (NULL) its bytes are the caller's to fill in at `payload`, before the next
        write.
        """
        if self.broken:
            return RING_BROKEN
        if not self.fits(size):
            if not self.look_at_reader():
                return RING_BROKEN
            if not self.fits(size) and not self.await_space(size):
                if self.broken:
                    return RING_BROKEN
                rc: cython.int = self.grow(size)
                if rc != RING_OK:
                    return rc
        self.put(data, size, flags)
        return RING_OK

    def publish(self):
        """Make everything written since the last publish visible as one message."""
        if self.tail == self.published:
            return
        # A message of nothing but a command is not counted: high water marks are about messages.
        if self.pending_bytes:
            self.written += 1
            self.bytes_written += self.pending_bytes - 1
            self.pending_bytes = 0
            store_relaxed(cython.address(self.control.bytes_written), self.bytes_written)
            store_relaxed(cython.address(self.control.written), self.written)
        self.published = self.tail
        store_release(cython.address(self.control.tail), self.tail)  # pair "publish"

    def rollback(self):
        """Forget what was written since the last publish."""
        self.tail = self.published
        self.pending_bytes = 0

    def look_at_reader(self):
        """Read the consumer's words afresh; false when they are nonsense (I5)."""
        head: uint64_t = load_acquire(cython.address(self.control.head))  # pair "free"
        read: uint64_t = load_relaxed(cython.address(self.control.read))
        if not (self.head_seen <= head <= self.published) or not (
            self.read_seen <= read <= self.written
        ):
            self.broken = True
            return False
        self.head_seen = head
        self.read_seen = read
        if len(self.areas) > 1:
            self._let_areas_go()
        return True

    def _let_areas_go(self):
        # The area at i ends where the next begins; behind that the consumer never goes back.
        while len(self.areas) > 1 and cython.cast(uint64_t, self.areas[1][0]) <= self.head_seen:
            del self.areas[0]

    def fits(self, size):
        """Whether a record of *size* bytes fits beside what is unread and the chain reserve."""
        need: uint64_t = _record_size(size)
        if need > self.capacity >> 1:
            return False
        place: uint64_t = (self.tail - self.base) & (self.capacity - 1)
        if need > self.capacity - place:
            need += self.capacity - place
        oldest: uint64_t = self.head_seen if self.head_seen > self.base else self.base
        return self.tail - oldest + need + CHAIN_RESERVE <= self.capacity

    def put(self, data, size, flags):
        """Write a record that is known to fit."""
        place: uint64_t = (self.tail - self.base) & (self.capacity - 1)
        room: uint64_t = self.capacity - place
        if _record_size(size) > room:
            cython.cast(cython.pointer(uint64_t), self.data + place)[0] = (
                (room - 8) << 8
            ) | RECORD_PAD
            self.tail += room
            place = 0
        cython.cast(cython.pointer(uint64_t), self.data + place)[0] = (size << 8) | flags
        self.payload = self.data + place + 8
        if data != cython.NULL:
            memcpy(self.payload, data, size)
        self.tail += _record_size(size)
        if flags & (RECORD_COMMAND | RECORD_CHAIN) == 0:
            if self.pending_bytes == 0:
                self.pending_bytes = 1  # so that an empty message counts as one
            self.pending_bytes += size

    def await_space(self, size):
        """Wait a moment for a reader at work, so that a ring stays small enough for the cache.

        Only where growing costs more than waiting; a reader that does not move is not waited for
        twice.
        """
        if self.capacity < _STALL_FROM or _record_size(size) > self.capacity >> 1:
            return False
        if self.stalled and self.head_seen == load_relaxed(cython.address(self.control.head)):
            return False
        head: uint64_t = self.head_seen
        with cython.nogil:
            end: int64_t = monotonic_ns() + _STALL_NS
            while monotonic_ns() < end:
                pause()
                if load_relaxed(cython.address(self.control.head)) != head:
                    break
        if not self.look_at_reader():
            return False
        self.stalled = self.head_seen == head
        return self.fits(size)

    def grow(self, size):
        """Go on in a larger area; what is pending moves along (I4)."""
        pending: uint64_t = self.tail - self.published
        need: uint64_t = 2 * (pending + _record_size(size) + CHAIN_RESERVE)
        capacity: uint64_t = self.capacity * (4 if self.capacity < _STALL_FROM else 2)
        while capacity < need:
            capacity *= 2
        # The pending records lie behind `published`, where the chain record must stand: move them
        # first.
        moved: bytes = self.take_pending()
        if moved is None:
            return RING_BROKEN
        try:
            area = self.make_area(capacity)
        except ZMQError:
            return RING_NO_MEMORY
        name: bytes = area.name.encode()
        saved_pending: uint64_t = self.pending_bytes
        self.tail = self.published
        self.put(name, len(name), RECORD_CHAIN)
        self.published = self.tail
        self.enter_area(area, self.tail)
        memcpy(self.data, cython.cast(cython.p_char, moved), len(moved))
        self.tail += len(moved)
        self.pending_bytes = saved_pending
        store_release(cython.address(self.control.tail), self.published)  # pair "publish"
        return RING_OK

    def take_pending(self):
        """Copy the records that are not yet published out of the area, pads left out.

        None when the peer wrote over them: they lie in memory that it shares (I5).
        """
        parts: list = []
        position: uint64_t = self.published
        while position < self.tail:
            place: uint64_t = (position - self.base) & (self.capacity - 1)
            # Read once, as in Consumer.peek.
            head: uint64_t = load_relaxed(cython.cast(cython.pointer(uint64_t), self.data + place))
            left: uint64_t = min(self.capacity - place, self.tail - position)
            if head >> 8 > left - 8:
                self.broken = True
                return None
            size: uint64_t = _record_size(head >> 8)
            if head & RECORD_PAD == 0:
                # The word as it was checked: the peer may have changed it by now.
                parts.append(head.to_bytes(8, "little"))
                parts.append(self.data[place + 8 : place + size])
            position += size
        return b"".join(parts)

    def enter_area(self, segment, base):
        """Make *segment* the area that records are written to, from position *base* on."""
        if not self.areas:
            self.areas.append((self.base, self.segment))
        if self.area_view.buf != cython.NULL:
            PyBuffer_Release(cython.address(self.area_view))
        PyObject_GetBuffer(segment.memory, cython.address(self.area_view), PyBUF_WRITABLE)
        self.data = cython.cast(cython.p_char, self.area_view.buf) + RECORDS_START
        self.capacity = segment.size - RECORDS_START
        self.base = base
        self.areas.append((base, segment))

    def all_areas(self):
        """Return the segments of all areas still held, whatever the consumer says."""
        return [segment for _, segment in self.areas[1:]]

    def area_segments(self):
        """Return the segments of areas that the consumer has not left yet, oldest first."""
        self.look_at_reader()
        return [segment for _, segment in self.areas[1:]] if self.areas else []

    def pending_parts(self):
        """Return (payload, flags) of every record that is written and not yet published.

        Raises ZMQError(EPROTO) when the peer wrote over them.
        """
        moved: bytes = self.take_pending()
        if moved is None:
            raise ZMQError(errno.EPROTO, f"the ring is broken: {self.describe()}")
        parts = []
        place: uint64_t = 0
        while place < cython.cast(uint64_t, len(moved)):
            head: uint64_t = cython.cast(
                cython.pointer(uint64_t), cython.cast(cython.p_char, moved) + place
            )[0]
            parts.append((moved[place + 8 : place + 8 + (head >> 8)], head & 255))
            place += _record_size(head >> 8)
        return parts

    def queued(self):
        """Return how many published messages are unread."""
        self.look_at_reader()
        return self.written - self.read_seen

    def set_limit(self, limit: uint64_t):
        """Set the high water mark in messages, 0 for none."""
        self.limit = limit

    # -- for tests and inspection; the pipe calls the compiled methods itself ----------------------

    def push(self, data: bytes, flags: cython.int = 0):
        """Write one record without publishing; return RING_OK, RING_NO_MEMORY or RING_BROKEN."""
        return self.write(data, len(data), flags)

    def commit(self):
        """Publish what was pushed."""
        self.publish()

    def forget(self):
        """Forget what was pushed and not committed."""
        self.rollback()

    @property
    def is_full(self):
        """Whether the high water mark keeps the next message out."""
        return not self.has_room()

    def describe(self):
        """Return the producer's view of positions and counts, by name."""
        return {
            "tail": self.tail,
            "published": self.published,
            "head_seen": self.head_seen,
            "written": self.written,
            "read_seen": self.read_seen,
            "base": self.base,
            "capacity": self.capacity,
            "limit": self.limit,
            "broken": bool(self.broken),
        }


@cython.cfunc
def _check_area(segment, offset: uint64_t, capacity: uint64_t):
    size: uint64_t = segment.size
    if (
        offset < RECORDS_START
        or offset > size
        or offset & 7
        or capacity < RECORDS_START
        or capacity & (capacity - 1)
        or capacity > size - offset
    ):
        raise ZMQError(
            errno.EPROTO, f"a ring of {capacity} bytes at {offset} does not fit a segment of {size}"
        )


@cython.cclass
class Consumer:
    """The reading end of a ring: *index* 0 or 1 of the pipe *segment*.

    *open_area(name)* maps the area segment called *name* and takes the name away.
    Raises ZMQError(EPROTO) when the control block does not fit the segment.
    """

    def __cinit__(self, segment, index: cython.int, open_area):
        PyObject_GetBuffer(segment.memory, cython.address(self.view), PyBUF_WRITABLE)
        header = cython.cast(cython.pointer(PipeHeader), self.view.buf)
        self.control = cython.address(header.ring[index])
        self.segment = segment
        self.open_area = open_area
        offset: uint64_t = self.control.offset
        self.capacity = self.control.capacity
        _check_area(segment, offset, self.capacity)
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
        RING_BROKEN. The record stays valid until advance."""
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
            if size > left - 8 or _record_size(size) > self.tail_seen - self.head:
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
        """Go on behind a pad or a chain: RING_EMPTY. RING_OK: it is a command, for the caller."""
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
        self.head += _record_size(self.record_size)
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

    # -- reading ahead: records are used where they lie, and given back when that is done ----------

    def step(self):
        """Go past the record found by peek without giving its space back: `release` does that.

        peek answers RING_HELD where the next record lies in another area, which is entered only
        when all in this one has been released.
        """
        self.head += _record_size(self.record_size)
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

    def rewind(self):
        """Go back to what was released last: what was stepped over since is read again."""
        self.head = self.tail_seen = self.last.head
        self.read = self.last.read
        self.bytes_read = self.last.bytes_read
        self.stepped = self.released = self.last.stepped
        self.in_message = self.overrun = False

    def spoil(self, reason):
        """Note that the peer wrote nonsense; nothing is read from this ring any more."""
        self.broken = True
        self.reason = reason
        return RING_BROKEN

    def follow_chain(self):
        """Move over to the area named in the chain record at hand (I4)."""
        if self.record_size > _MAX_NAME:
            return self.spoil(f"a chain to a name of {self.record_size} bytes")
        name: bytes = self.record[: self.record_size]
        try:
            area = self.open_area(name.decode("ascii", "replace"))
        except (ZMQError, OSError, ValueError, KeyError) as error:
            return self.spoil(f"chain to {name!r}: {error}")
        self.head += _record_size(self.record_size)
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

        The names of areas on the way go.
        """
        self.leaving = True
        while self.peek() == RING_OK:
            self._step_over()

    def _step_over(self):
        """Go past the record at hand without telling the producer."""
        self.in_message = self.record_flags & RECORD_MORE
        self.head += _record_size(self.record_size)

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


def compiled_offsets():
    """Return the offsets that the compiled code uses, to be held against layout.OFFSETS."""
    segment: cython.pointer(SegmentHeader) = cython.NULL
    ring: cython.pointer(RingControl) = cython.NULL
    pipe: cython.pointer(PipeHeader) = cython.NULL
    return {
        "segment": {
            "magic": cython.cast(cython.size_t, cython.address(segment.magic)),
            "version": cython.cast(cython.size_t, cython.address(segment.version)),
            "kind": cython.cast(cython.size_t, cython.address(segment.kind)),
            "size": cython.cast(cython.size_t, cython.address(segment.size)),
            "owner_pid": cython.cast(cython.size_t, cython.address(segment.owner_pid)),
            "owner_start": cython.cast(cython.size_t, cython.address(segment.owner_start)),
            "reader_pid": cython.cast(cython.size_t, cython.address(segment.reader_pid)),
            "reader_start": cython.cast(cython.size_t, cython.address(segment.reader_start)),
        },
        "ring": {
            "tail": cython.cast(cython.size_t, cython.address(ring.tail)),
            "written": cython.cast(cython.size_t, cython.address(ring.written)),
            "bytes_written": cython.cast(cython.size_t, cython.address(ring.bytes_written)),
            "head": cython.cast(cython.size_t, cython.address(ring.head)),
            "read": cython.cast(cython.size_t, cython.address(ring.read)),
            "bytes_read": cython.cast(cython.size_t, cython.address(ring.bytes_read)),
            "attentive": cython.cast(cython.size_t, cython.address(ring.attentive)),
            "waiting": cython.cast(cython.size_t, cython.address(ring.waiting)),
            "attached": cython.cast(cython.size_t, cython.address(ring.attached)),
            "offset": cython.cast(cython.size_t, cython.address(ring.offset)),
            "capacity": cython.cast(cython.size_t, cython.address(ring.capacity)),
        },
        "pipe": {"ring": cython.cast(cython.size_t, cython.address(pipe.ring))},
    }
