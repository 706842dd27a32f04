"""A pipe: two rings between two sockets (or a socket and a worker's session), with flow control.

Each end is one Pipe object. The end that made the connection (side 0) writes ring 0 and reads ring
1; the end that accepted it, the reverse. A pipe does not know what its far end is.

word (in the ring's control block)  written by           says
attentive                           consumer             in my active list: do not post `ready`
waiting                             producer sets,       I hold messages back: post `room`
                                    consumer takes
attached                            consumer             I have looked at this ring once
left                                consumer             I read no more, nor take names away

Pair "ready": the producer publishes, then looks at `attentive` (flush); the consumer clears
`attentive`, then looks at the ring (rest). Pair "room": the producer stores `waiting`, then looks
at the reader's words (park); the consumer frees, then looks at `waiting` (report_room). Pair
"attach": the producer publishes, then looks at `attached`; the consumer stores `attached`, then
looks at the ring (attend). Pair "leave": the producer has its last word, then looks at `left`; the
consumer stores `left`, then looks at the ring for names to take away (let_go). Full fences on all
eight: at least one side of each sees what the other did, so no wake-up is lost, and no name stays.

A pipe of the connecting side exists before it has a far end, and outlives it: shmzmq/renewal.py
carries what the lost far end had not read into a fresh segment for the next one.

A large payload goes into a block when the far end is there, so that it is known who reads, and into
the ring otherwise, or when there is no block to be had. Within a process it goes by reference.
See shmzmq/lending.py.
"""

import errno

import cython
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.shmzmq.lending import Lending
from cython.cimports.shmzmq.shm.atomics import exchange, fence, load_relaxed, store_release
from cython.cimports.shmzmq.shm.board import Board
from cython.cimports.shmzmq.shm.layout import RECORD_COMMAND, RECORD_MORE
from cython.cimports.shmzmq.shm.lease import as_bytes
from cython.cimports.shmzmq.shm.lender import Lender
from cython.cimports.shmzmq.shm.ring import (
    RING_EMPTY,
    RING_NO_MEMORY,
    RING_OK,
    Consumer,
    Producer,
)

from .conflation import Merger
from .errors import ZMQError
from .pipe_segment import make_area, open_area
from .shm import directory
from .shm import segment as segments
from .shm.layout import BOARD_PIPES
from .shm.lease import PoolDesk

_NO_LIMIT = cython.declare(uint64_t, 2**64 - 1)
_GOODBYE = cython.declare(bytes, b"goodbye")


@cython.cclass
class Pipe:
    """One end of a pipe. *side* is 0 for the end that made it and 1 for the one that accepted it.

    *send_limit* is the high water mark for what this end sends, in messages, 0 for none.
    Raises ZMQError(EPROTO) when the segment's control blocks make no sense.
    """

    def __init__(
        self, segment, side: cython.int, own: Board, bit: cython.int, send_limit: uint64_t
    ):
        self.segment = segment
        self.side = side
        self.own = own
        self.bit = bit
        self.routing_id = b""
        self.metadata = {}
        self.carried = []
        self.fair_index = self.load_index = -1
        self.peer_bit = -1
        self.report_messages = 1
        self.lending = Lending()
        self.far_process = segment.owner if side == 1 else None
        self.max_part_size = _NO_LIMIT
        self.greetings = []
        self.outbound = Producer(segment, side, send_limit, self.make_area)
        self._take_inbound(segment)
        self.count_in(directory.scratch())

    def make_area(self, capacity):
        return make_area(self.segment, self.side, capacity)

    def _open_area(self, name):
        return open_area(name, self.segment)

    def _take_inbound(self, segment):
        """Read from *segment* from now on: its ring, and the pools of whoever writes that."""
        desk = parcels = None
        if segments.is_private(segment.name):
            parcels = segment.parcels[1 - self.side]
        else:
            desk = PoolDesk(self._far_end, segment.token)
        self.inbound = Consumer(segment, 1 - self.side, self._open_area, desk, parcels)
        return 0

    def _far_end(self):
        """Return the process of the far end, pid 0 while nobody has said it."""
        return self.segment.reader if self.far_process is None else self.far_process

    def count_in(self, slot):
        """Keep this pipe's counters in the directory *slot* from now on."""
        self.slot = slot
        address: cython.size_t = slot.address
        self.counters = cython.cast(cython.pointer(uint64_t), address)

    # -- the far end -------------------------------------------------------------------------------

    def attach(self, peer: Board, peer_bit: cython.int):
        """Take up the far end: its board, and this pipe's bit there."""
        if not 0 <= peer_bit < BOARD_PIPES:
            raise ZMQError(
                errno.EPROTO, f"bit {peer_bit} on the far end's board: it has {BOARD_PIPES}"
            )
        self.peer = peer
        self.peer_bit = peer_bit
        self.lost = False
        self.said_goodbye = False
        self._start_lending()
        if not self.outbound.broken and self.outbound.queued():
            peer.post_ready(peer_bit)

    def set_limits(self, send_limit: uint64_t, receive_limit: uint64_t):
        """Set the high water marks in messages, 0 for none."""
        self.outbound.limit = send_limit
        # A waiting producer hears of room at every quarter of the limit, as long as messages are
        # read.
        self.report_messages = receive_limit // 4 if receive_limit >= 4 else 1

    def set_max_part_size(self, limit):
        """Take no parts of more than *limit* bytes (MAXMSGSIZE; -1: of any size).

        A peer that sends one is at its end, as if it had written nonsense.
        """
        self.max_part_size = _NO_LIMIT if limit < 0 else limit

    def greet(self, messages):
        """Have this connection, and each that renews it, begin with these messages."""
        self.greetings = messages
        if self.outbound.written:
            return  # a connection made anew has begun with them
        for item in messages:
            message: bytes = item
            if self.write(message, len(message), False) == RING_OK:
                self.flush()

    def set_reader(self, process):
        """Note who reads what this end writes: the memory outlives us while *process* lives."""
        self.far_process = process
        self.segment.reader = process
        for area in self.areas():
            area.reader = process

    def areas(self):
        """Return the segments, beside the pipe's own, that hold what this end writes."""
        boxes = [] if self.merger is None else self.merger.segments()
        return [*self.outbound.all_areas(), *boxes]

    def conflate(self, inbound: cython.bint, outbound: cython.bint):
        """Keep only the last message: of those that are read here, of those that are written.

        See shmzmq/conflation.py.
        """
        self.conflating = inbound
        self.merging = outbound
        if outbound and self.merger is None:
            self.merger = Merger(self.make_area)

    def detach(self):
        """Forget the far end: it is gone or never came."""
        self.peer = None
        self.peer_bit = -1
        self.lending.pause()

    @property
    def is_attached(self):
        """Whether there is a far end."""
        return self.peer is not None

    def say_goodbye(self):
        """Tell the far end that nothing follows what was published. Never blocks."""
        if self.outbound.broken:
            return
        self.rollback()
        # It fits into the bytes kept free for a chain, which nobody needs any more.
        word: bytes = _GOODBYE
        self.outbound.put(word, len(word), RECORD_COMMAND)
        self.flush()
        self.discard_if_left()

    def discard_if_left(self):
        """Nothing follows: take the names away if the reader has left and did not see them all."""
        fence()  # pair "leave": all areas are visible before this word is looked at
        if load_relaxed(cython.address(self.outbound.control.left)):
            self.discard()

    def discard(self):
        """Take away every name that this pipe still has in /dev/shm: nobody will open it."""
        self.lending.forget_names()
        for area in self.areas():
            segments.unlink(area.name)
        self.segment.unlink()

    def let_go(self, lingers: cython.bint = False):
        """Read and lend no more: the socket gives this pipe up.

        If it *lingers*, it may still be renewed for another far end; `end_lending` is to follow.
        """
        store_release(cython.address(self.inbound.control.left), 1)
        fence()  # pair "leave": left is visible before the ring is looked at for names
        self.inbound.abandon()
        self.rollback()
        if lingers:
            self.lending.pause()  # what is lent and not read may be for another far end
        else:
            self.lending.end()

    def end_lending(self):
        """Nobody will read here any more whom we know: what is lent comes back."""
        self.lending.end()

    def use_lender(self, lender: Lender):
        """Large payloads go as *lender*, the socket's, has them."""
        self.lender = lender
        if segments.is_private(self.segment.name):
            self.lending.refer(lender, self.segment.parcels[self.side])
        else:
            self._start_lending()

    def _start_lending(self):
        if self.lender is not None and self.peer is not None and self.far_process is not None:
            self.lending.start(
                self.lender, self.segment, self.side, self.far_process, self.peer.name
            )
        return 0

    # -- writing -----------------------------------------------------------------------------------

    def has_left(self):
        """Whether the far end has let go a pipe that is not made anew."""
        return not self.returns and load_relaxed(cython.address(self.outbound.control.left)) != 0

    def can_write(self):
        if self.has_left():
            return False
        if self.wanted_bytes and not self.outbound.broken:
            # Memory ran out over a part of this size: it needs room that only the reader makes.
            self.outbound.look_at_reader()
            if (
                not self.outbound.fits(self.wanted_bytes)
                and self.outbound.written != self.outbound.read_seen
            ):
                return False
            self.wanted_bytes = 0
        return self.outbound.has_room()

    def write(self, data, size, more):
        rc: cython.int
        if size >= self.lending.least and data != cython.NULL and not self.merging:
            rc = self.lending.write(self.outbound, data, size, RECORD_MORE if more else 0)
            if rc != RING_EMPTY:
                if rc == RING_OK:
                    self.sending = more
                return rc
        rc = self.outbound.write(data, size, RECORD_MORE if more else 0)
        if rc == RING_NO_MEMORY and self.lender is not None and self.lender.give_back():
            rc = self.outbound.write(data, size, RECORD_MORE if more else 0)
        if rc == RING_OK:
            self.sending = more
        elif rc == RING_NO_MEMORY and not self.sending and self.outbound.queued() == 0:
            # The reader has taken everything since; perhaps it is about to return blocks of that.
            if self.outbound.fits(size) or (self.lender is not None and self.lender.await_return()):
                return self.write(data, size, more)
            # Nobody will ever make room: waiting would be for ever.
            raise ZMQError(
                errno.ENOBUFS,
                f"no shared memory for a message part of {size} bytes: /dev/shm is full",
            )
        return rc

    def stage(self, slices, count):
        """Write up to *count* small messages of one part, for `flush` to publish; return how many.

        None where there is no room: what to do then is for can_write and write.
        """
        if self.wanted_bytes or self.has_left():
            return 0
        return self.outbound.stage(slices, count)

    def flush(self):
        """Publish what was written and see to it that the far end notices."""
        out: Producer = self.outbound
        if self.merging:
            self.merger.merge(out)
        if self.lending.has_loans:
            self.lending.publish(out.tail)
        out.publish()
        self.counters[2] = out.written
        self.counters[3] = out.bytes_written
        self.counters[4] = out.written - out.read_seen  # as the writer last saw its reader
        fence()  # pairs "ready" and "attach": the tail is visible before what is looked at
        if load_relaxed(cython.address(out.control.attentive)):
            return
        if self.peer is not None:
            self.peer.post_ready(self.peer_bit)
        elif load_relaxed(cython.address(out.control.attached)):
            # The far end is there and may already sleep; the worker's word of it lies in our
            # stream.
            self.own.post_control(1)  # Control.EVENT

    def rollback(self):
        """Forget the parts of an unfinished message."""
        self.outbound.rollback()
        self.sending = False
        if self.lending.has_loans:
            self.lending.rollback()
        return 0

    def forget_unfinished(self):
        """Forget the parts of a message whose rest will not come; for whoever is not compiled."""
        self.rollback()

    def park(self, size):
        """Ask to be told of room; false when there is some already.

        *size* is the part that could not be placed for want of memory, 0 when the mark was reached.
        """
        if size:
            self.wanted_bytes = size
        store_release(cython.address(self.outbound.control.waiting), 1)
        fence()  # pair "room": waiting is visible before the reader's words are looked at
        if self.can_write():
            self.unpark()
            return False
        return True

    def unpark(self):
        exchange(cython.address(self.outbound.control.waiting), 0)

    def watch_outbound(self, watch):
        """Watch for room: a quarter of the limit, so that one wait pays for many messages."""
        out: Producer = self.outbound
        watch.word = cython.address(out.control.read)
        watch.seen = out.read_seen
        watch.step = out.limit // 4 if out.limit >= 4 else 1

    # -- reading -----------------------------------------------------------------------------------

    def look(self):
        """Find the next part for the user: RING_OK, RING_EMPTY or RING_BROKEN."""
        while True:
            rc: cython.int = self.inbound.peek()
            if rc != RING_OK:
                return rc
            if self.inbound.record_flags & RECORD_COMMAND == 0:
                if self.inbound.record_size > self.max_part_size:
                    return self.refuse_oversized()
                return RING_OK
            # A command is for the pipe itself, and goodbye is the only one.
            self.said_goodbye = True
            self.inbound.advance()

    def read(self):
        """Return the next part, its `more` in self.more; None when there is none.

        It is bytes, or a Lease of a block: shm.lease.as_bytes copies that.
        """
        if self.look() != RING_OK:
            return None
        data: object = self.inbound.part
        if data is None:
            data = PyBytes_FromStringAndSize(self.inbound.record, self.inbound.record_size)
        self.more = self.inbound.record_flags & RECORD_MORE
        self.inbound.advance()
        if not self.more:
            self.done_reading()
        if self.conflating:
            return self.read_last(data)
        return data

    def read_last(self, data):
        """Return the last part that is there, of those behind *data*, as a message (CONFLATE)."""
        self.conflating = False
        try:
            while (newer := self.read()) is not None:
                data = newer
        finally:
            self.conflating = True
        self.more = False
        return data

    def refuse_oversized(self):
        """End the pipe for a part above MAXMSGSIZE.

        The message counts as read, or its sender would offer it again on the next connection.
        """
        reason = (
            f"a part of {self.inbound.record_size} bytes; MAXMSGSIZE takes {self.max_part_size}"
        )
        while True:
            more: cython.bint = self.inbound.record_flags & RECORD_MORE
            self.inbound.advance()
            if not more or self.inbound.peek() != RING_OK:
                return self.inbound.spoil(reason)

    def skip(self):
        """Drop the rest of the message at hand, or the next one; 1 when there was one, else 0."""
        while self.look() == RING_OK:
            self.more = self.inbound.record_flags & RECORD_MORE
            self.inbound.advance()
            if not self.more:
                self.done_reading()
                return 1
        return 0

    def take(self, batch, most):
        """Put up to *most* messages into *batch*; return how many.

        Fewer are there, or the next one has several parts: batch.several says so.
        """
        count: uint64_t = 0
        while count < most:
            taken: uint64_t = 0
            if not self.conflating:
                taken = self.take_plain(batch, most - count)
            elif (data := self.read()) is not None:
                batch.add_object(data)
                taken = 1
            if taken:
                count += taken
            elif self.look() != RING_OK:
                break
            elif self.inbound.record_flags & RECORD_MORE == 0:
                batch.add_object(self._part())
                self.skip()
                count += 1
            elif batch.multipart:
                batch.add_parts(self.read_message())
                count += 1
            else:
                batch.several = True
                break
        return count

    def take_plain(self, batch, most):
        """Take messages that lie in the ring, of one part each and not too large."""
        read: uint64_t = self.inbound.read
        try:
            self.inbound.take(batch, most, self.max_part_size)
        finally:
            taken: uint64_t = self.inbound.read - read
            if taken:
                self.unreported += taken - 1
                self.done_reading()
        return taken

    def _part(self):
        """Return the payload at hand as an object that lasts."""
        return self.payload() if self.inbound.part is None else self.inbound.part

    def read_message(self):
        """Return the parts of the message at hand. Raises ZMQError(EPROTO) when it is cut off."""
        parts = []
        while (data := self.read()) is not None:
            parts.append(as_bytes(data))
            if not self.more:
                return parts
        raise ZMQError(
            errno.EPROTO,
            f"a message was cut off: its sender wrote nonsense ({self.inbound.reason})",
        )

    def done_reading(self):
        """A message was read: count it, and report room where that is due."""
        into: Consumer = self.inbound
        self.unreported += 1
        self.counters[0] = into.read
        self.counters[1] = into.bytes_read
        if (
            into.head == into.tail_seen
            or self.unreported >= self.report_messages
            or into.bytes_read - self.unreported_bytes >= into.capacity >> 2
        ):
            self.report_room()

    def report_room(self):
        """Tell a producer that waits for room."""
        self.unreported = 0
        self.unreported_bytes = self.inbound.bytes_read
        fence()  # pair "room": head and read are visible before waiting is looked at
        if (
            load_relaxed(cython.address(self.inbound.control.waiting))
            and self.peer is not None
            and exchange(cython.address(self.inbound.control.waiting), 0)
        ):
            self.peer.post_room(self.peer_bit)

    def attend(self):
        """Take the ring into the active list: the producer need not post it any more."""
        store_release(cython.address(self.inbound.control.attached), 1)
        store_release(cython.address(self.inbound.control.attentive), 1)
        self.idle_looks = 0
        fence()  # pair "attach": attached is visible before the ring is looked at

    def rest(self):
        """Leave the active list; false when something came in between and the pipe stays in it."""
        store_release(cython.address(self.inbound.control.attentive), 0)
        fence()  # pair "ready": attentive is visible before the ring is looked at
        if self.inbound.is_empty():
            return True
        store_release(cython.address(self.inbound.control.attentive), 1)
        return False

    def is_ended(self):
        """Whether nothing can come any more: the ring is broken, or empty and its writer gone."""
        if self.inbound.broken or self.outbound.broken:
            return True
        return (self.said_goodbye or self.lost) and self.inbound.is_empty()

    def watch_inbound(self, watch):
        watch.word = cython.address(self.inbound.control.tail)
        watch.seen = self.inbound.head
        watch.step = 1

    # -- after a loss (what is done then stands in renewal) ----------------------------------------

    def begin_anew(self, segment):
        """Write into *segment* from now on; the far end is one that nobody has named yet."""
        limit: uint64_t = self.outbound.limit
        self.segment = segment
        self.far_process = None
        self.lost = self.said_goodbye = False
        self.outbound = Producer(segment, self.side, limit, self.make_area)
        if self.merger is not None:
            self.merger.begin_anew()

    def read_anew(self):
        """Read from the segment that is written into, as attentively as before."""
        attentive: uint64_t = load_relaxed(cython.address(self.inbound.control.attentive))
        self._take_inbound(self.segment)
        if self.lender is not None:
            self.use_lender(self.lender)
        if attentive:
            self.attend()
        self.unreported = self.unreported_bytes = 0
        # The lost reader may have made room and died before it said so; `waiting` of the fresh ring
        # is 0.
        self.own.post_room(self.bit)

    def payload(self) -> bytes:
        return PyBytes_FromStringAndSize(self.inbound.record, self.inbound.record_size)

    # -- inspection --------------------------------------------------------------------------------

    def describe(self):
        """Return what is known of this end, by name; for reports and tests."""
        return {
            "segment": self.segment.name,
            "side": self.side,
            "attached": self.is_attached,
            "lost": bool(self.lost),
            "relayed": bool(self.relayed),
            "outbound": self.outbound.describe(),
            "inbound": self.inbound.describe(),
        }

    @property
    def is_sending(self):
        """Whether a message is half written."""
        return bool(self.sending)

    @property
    def is_broken(self):
        """Whether the far end wrote nonsense into the rings."""
        return self.inbound.broken or self.outbound.broken

    @property
    def backlog(self):
        """How many published messages the far end has not read."""
        return 0 if self.outbound.broken else self.outbound.queued()

    @property
    def lent(self):
        """How many blocks are out over this pipe."""
        return self.lending.count()

    @property
    def ended(self):
        """Whether nothing can come any more."""
        return self.is_ended()
