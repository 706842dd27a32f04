"""How one pipe sends a large payload without copying it into the ring.

To another process it goes in a block of the sender's pool, once for all pipes: the ring carries a
descriptor, and the pipe's ledger (shmzmq/shm/ledger.py) says what is out. That is done from the
moment on when it is known which process reads: its death must be told for certain, and a name must
be made for it, so that what was published can be read also after this process has died. Before
that, and where no block is to be had, the payload goes through the ring.

Within a process it goes by reference: the ring carries a number, and the object lies in a dict that
both ends of the pipe have.
"""

import errno

import cython
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.posix.unistd import usleep
from cython.cimports.shmzmq.shm.atomics import load_relaxed, monotonic_ns, pause
from cython.cimports.shmzmq.shm.blocks import Block
from cython.cimports.shmzmq.shm.layout import (
    DESCRIPTOR_SIZE,
    LOANS,
    RECORD_BLOCK,
    RECORD_MORE,
    BlockDescriptor,
    RingControl,
)
from cython.cimports.shmzmq.shm.ledger import Ledger
from cython.cimports.shmzmq.shm.lender import BLOCK_FROM, REFERENCE_FROM, Lender
from cython.cimports.shmzmq.shm.ring import (
    RING_BROKEN,
    RING_EMPTY,
    RING_OK,
    Producer,
)

from .errors import ZMQError
from .shm.liveness import pid_namespace
from .shm.segment import SegmentName

_NEVER = cython.declare(uint64_t, 0xFFFFFFFFFFFFFFFF)
# So much of a size class stays in the cache. More is taken only for a reader that does not move.
_HOT = cython.declare(uint64_t, 2 << 20)
_SPIN_NS = cython.declare(int64_t, 20_000)
_NAP_US = cython.declare(cython.uint, 50)
_STALL_NS = cython.declare(int64_t, 2_000_000)
_STALL_MOST_NS = cython.declare(int64_t, 5_000_000)


@cython.cclass
class Lending:
    """What one pipe lends. It lends nothing before `start` or `refer`."""

    def __init__(self):
        self.least = _NEVER
        self.pending = []

    def refer(self, lender: Lender, parcels: dict):
        """Hand payloads on by reference, through *parcels*: the far end is in this process."""
        self.lender = lender
        self.parcels = parcels
        self.least = REFERENCE_FROM

    def start(self, lender: Lender, segment, side: cython.int, reader, board):
        """Lend blocks over ring *side* of *segment* to *reader*, whose board is *board*."""
        name = SegmentName.parse(board)
        # Only where its pid tells whether it lives can what it was lent be taken back for sure.
        if lender.pool is None or name is None or not reader.pid:
            return
        if name.namespace != pid_namespace():
            return
        self.end()
        self.lender = lender
        self.ledger = Ledger(lender.pool, segment, side, reader)
        self.least = BLOCK_FROM

    def pause(self):
        """Lend nothing more for now: there is no far end."""
        if self.parcels is None:
            self.least = _NEVER

    def end(self):
        """The pipe is given up, or goes over to a fresh segment."""
        self.least = _NEVER
        self.has_loans = False
        if self.ledger is not None:
            self.ledger.end()
            self.ledger = None

    def forget_names(self):
        """Take the names away that were made for the reader: nobody will open them."""
        if self.ledger is not None:
            self.ledger.forget_names()

    # -- writing -----------------------------------------------------------------------------------

    def write(self, out, data, size, flags):
        """Write a record into *out* that stands for the payload; RING_EMPTY: it has to be copied.

        That is also the answer where the pool is at its bound: how many messages may be under way
        is what the high water marks say, and they do not depend on the sizes.
        """
        if out.broken:
            return RING_BROKEN
        if self.parcels is not None:
            return self.write_parcel(out, data, size, flags)
        block: Block = self.find_block(out, data, size)
        if block is None:
            return RING_EMPTY
        # The GIL may have been let go: the socket may be closed by now.
        rc: cython.int = self.write_block(out, block, size, flags)
        if block is not self.lender.block:
            self.lender.pool.release(block)  # said besides: the loan, if there is one, has its use
        return rc

    def write_block(self, out, block, size, flags):
        """Write a record into *out* that stands for *size* bytes in *block*.

        RING_EMPTY: it cannot be lent, and has to be copied.
        """
        if out.broken:
            return RING_BROKEN
        gone: cython.bint = self.ledger is None or self.least == _NEVER
        if gone or not self.ledger.make_known(block.slab):
            return RING_EMPTY
        loan: cython.int = self.ledger.lend(block, size)
        if loan < 0:
            return RING_EMPTY
        rc: cython.int = self.write_descriptor(
            out, block.slab.serial, block.offset, size, loan, flags
        )
        if rc != RING_OK:
            self.ledger.revoke()
            return RING_BROKEN if rc == RING_BROKEN else RING_EMPTY
        return RING_OK

    def write_descriptor(self, out, serial, offset, size, loan, flags):
        descriptor: BlockDescriptor
        descriptor.serial = serial
        descriptor.offset = offset
        descriptor.size = size
        descriptor.loan = loan
        where = cython.cast(cython.p_char, cython.address(descriptor))
        rc: cython.int = out.write(where, DESCRIPTOR_SIZE, flags | RECORD_BLOCK)
        if rc == RING_OK:
            out.pending_bytes += size - DESCRIPTOR_SIZE
            self.has_loans = True
        return rc

    def write_parcel(self, out, data, size, flags):
        payload = self.lender.payload_for(data, size)
        self.parcel += 1
        rc: cython.int = self.write_descriptor(out, 0, 0, size, self.parcel, flags)
        if rc == RING_OK:
            self.parcels[self.parcel] = payload
            self.pending.append(self.parcel)
        return rc

    def find_block(self, out, data, size):
        """Return a block with the payload, one that is still in the cache if that can be."""
        if self.lender.has_block(data, size):
            return self.lender.block
        if _unread(out) + size > _HOT:
            self.await_reader(out, size)
        return self.lender.block_for(data, size, True)

    def await_reader(self, out, size):
        """Wait for a reader at work, so that what is under way fits into the cache.

        Not twice for one that does not move. Of messages that do not fit, one may be under way
        while the next is filled.
        """
        head: uint64_t = load_relaxed(cython.address(out.control.head))
        if self.stalled and head == self.stalled_head:
            return 0
        control: cython.pointer(RingControl) = out.control
        moved: uint64_t = head
        unread: uint64_t = 0
        with cython.nogil:
            begun: int64_t = monotonic_ns()
            now: int64_t = begun
            end: int64_t = begun + _STALL_NS
            while now < end:
                if now - begun < _SPIN_NS:
                    pause()
                else:
                    usleep(_NAP_US)
                unread = out.bytes_written - load_relaxed(cython.address(control.bytes_read))
                if unread + size <= _HOT or unread <= size:
                    break
                moved = load_relaxed(cython.address(control.head))
                now = monotonic_ns()
                if moved != head and now < begun + _STALL_MOST_NS:
                    head = moved
                    end = now + _STALL_NS
        self.stalled = moved == head and now >= end
        self.stalled_head = head
        return 0

    def publish(self, end):
        """The message at hand, with what was lent for it, is about to be published up to *end*."""
        self.has_loans = False
        self.pending.clear()
        if self.ledger is not None:
            self.ledger.publish(end)

    def rollback(self):
        """The message at hand, with what was lent for it, will not be published."""
        self.has_loans = False
        for number in self.pending:
            self.parcels.pop(number, None)
        self.pending.clear()
        if self.ledger is not None:
            self.ledger.rollback()
        return 0

    # -- the record --------------------------------------------------------------------------------

    def with_payload(self, data: bytes, flags: cython.int):
        """Return an unread part as it goes through a ring: what was lent, from our own record.

        Raises ZMQError(EPROTO) for a loan that is not out: the peer wrote over its descriptor.
        """
        if flags & RECORD_BLOCK == 0:
            return data, flags
        loan = int.from_bytes(data[24:32], "little")
        payload = None if self.ledger is None or loan >= LOANS else self.ledger.payload(loan)
        if payload is None:
            raise ZMQError(errno.EPROTO, f"the ring is broken: a loan {loan} that is not out")
        return payload, flags & RECORD_MORE

    def count(self):
        """Return how many blocks are out."""
        return 0 if self.ledger is None else self.ledger.count


@cython.cfunc
def _unread(out: Producer) -> uint64_t:
    """Return how many bytes of messages are published and not read."""
    if not out.look_at_reader() or out.written == out.read_seen:
        return 0
    return out.bytes_written - load_relaxed(cython.address(out.control.bytes_read))
