"""The writing end of a ring. The invariants I1 to I5 and the pairs stand in shmzmq/shm/ring.py."""

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
    fence,
    load_acquire,
    load_relaxed,
    monotonic_ns,
    pause,
    store_relaxed,
    store_release,
)
from cython.cimports.shmzmq.shm.batch import Slice
from cython.cimports.shmzmq.shm.copying import copy_short
from cython.cimports.shmzmq.shm.layout import (
    RECORD_CHAIN,
    RECORD_COMMAND,
    RECORD_PAD,
    RECORDS_START,
    PipeHeader,
)
from cython.cimports.shmzmq.shm.records import (
    CHAIN_RESERVE,
    RING_BROKEN,
    RING_NO_MEMORY,
    RING_OK,
    check_area,
    spanned,
)

from ..errors import ZMQError

_STALL_FROM = cython.declare(uint64_t, 256 * 1024)
_STALL_NS = cython.declare(int64_t, 200_000)


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
        self.index = index
        self.make_area = make_area
        self.limit = limit
        self.areas = []
        offset: uint64_t = self.control.offset
        self.capacity = self.control.capacity
        check_area(segment, offset, self.capacity)
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
        if self.limit == 0 or self.written + self.staged - self.read_seen < self.limit:
            return not self.broken
        self.look_at_reader()
        return not self.broken and self.written + self.staged - self.read_seen < self.limit

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

    def stage(self, slices, count):
        """Add up to *count* messages of one part each that are not yet visible; return how many.

        No message may be half written. They are published together, and nothing else may be done
        with this ring before that but to stage more. Stops at the high water mark, and where there
        is no space: what to do then is `write`'s business.
        """
        if self.limit:
            under_way: uint64_t = self.written + self.staged - self.read_seen
            if under_way + count > self.limit:
                if not self.look_at_reader():
                    return 0
                under_way = self.written + self.staged - self.read_seen
                if under_way >= self.limit:
                    return 0
                count = min(count, self.limit - under_way)
        if self.broken:
            return 0
        done: uint64_t = self._stage(slices, count)
        if done < count and self.look_at_reader():
            done += self._stage(slices + done, count - done)
        self.staged += done
        return done

    def _stage(self, slices, count):
        """Write records as long as they fit beside what is known to be unread, as `put` does."""
        data: cython.p_char = self.data
        capacity: uint64_t = self.capacity
        tail: uint64_t = self.tail - self.base
        oldest: uint64_t = self.head_seen - self.base if self.head_seen > self.base else 0
        end: uint64_t = oldest + capacity - CHAIN_RESERVE
        total: uint64_t = 0
        i: uint64_t = 0
        while i < count:
            size: uint64_t = slices[i].size
            need: uint64_t = spanned(size)
            place: uint64_t = tail & (capacity - 1)
            if need > capacity - place:
                pad: uint64_t = capacity - place
                if tail + pad + need > end or need > capacity >> 1:
                    break
                cython.cast(cython.pointer(uint64_t), data + place)[0] = (
                    (pad - 8) << 8
                ) | RECORD_PAD
                tail += pad
                place = 0
            elif tail + need > end or need > capacity >> 1:
                break
            cython.cast(cython.pointer(uint64_t), data + place)[0] = size << 8
            copy_short(data + place + 8, slices[i].data, size)
            tail += need
            total += size
            i += 1
        self.tail = self.base + tail
        self.staged_bytes += total
        return i

    def publish(self):
        """Make visible what was written since the last publish: one message, and those staged."""
        if self.tail == self.published:
            return
        if self.staged:
            self.written += self.staged
            self.bytes_written += self.staged_bytes
            self.staged = self.staged_bytes = 0
            store_relaxed(cython.address(self.control.bytes_written), self.bytes_written)
            store_relaxed(cython.address(self.control.written), self.written)
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
        self.pending_bytes = self.staged = self.staged_bytes = 0

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
        need: uint64_t = spanned(size)
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
        if spanned(size) > room:
            cython.cast(cython.pointer(uint64_t), self.data + place)[0] = (
                (room - 8) << 8
            ) | RECORD_PAD
            self.tail += room
            place = 0
        cython.cast(cython.pointer(uint64_t), self.data + place)[0] = (size << 8) | flags
        self.payload = self.data + place + 8
        if data != cython.NULL:
            memcpy(self.payload, data, size)
        self.tail += spanned(size)
        if flags & (RECORD_COMMAND | RECORD_CHAIN) == 0:
            if self.pending_bytes == 0:
                self.pending_bytes = 1  # so that an empty message counts as one
            self.pending_bytes += size

    def await_space(self, size):
        """Wait a moment for a reader at work, so that a ring stays small enough for the cache.

        Only where growing costs more than waiting; a reader that does not move is not waited for
        twice.
        """
        if self.capacity < _STALL_FROM or spanned(size) > self.capacity >> 1:
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
        need: uint64_t = 2 * (pending + spanned(size) + CHAIN_RESERVE)
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
        if self.index == 0:
            fence()  # pair "claim": the area is found in the ring, or its reader is known here
            reader = self.segment.reader
            if reader.pid:  # with none, the claim may be giving the area its reader just now
                area.reader = reader
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
            size: uint64_t = spanned(head >> 8)
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
            place += spanned(head >> 8)
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

    def push_many(self, messages: list):
        """Stage up to 64 messages of one part without publishing; return how many had room."""
        slices: Slice[64]
        count: cython.int = 0
        for item in messages[:64]:
            slices[count].data = cython.cast(bytes, item)
            slices[count].size = len(item)
            count += 1
        return self.stage(slices, count)

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
