"""What one pipe has been lent: the record by which the owner of the blocks takes them back.

A loan is a number: it stands in the descriptor in the ring, is a bit in `returned` of the pipe
segment, and an entry here. The reader sets the bit when nobody there has a view of the block any
more. The entry is the owner's own memory, so whatever the reader does, a loan ends once, and ends
with the pipe at the latest.

L1  A loan is out from lend to take_back. Its block counts it as one use meanwhile.
L2  A bit counts only once the reader has gone past the whole message (`head`), or the pipe has
    ended. So a message that its reader died over still has all its blocks and can be read again.
L3  A pipe that ended with loans out keeps its ledger, until the bits are set or the reader's
    process is dead: a reader that was only lost may still look at what it received.
L4  A bit without a loan means nothing; a new loan clears it first.

Pair "return": the reader's last look at the block, then fetch_or of the bit in Lease.give_back ->
acquire of the bit in Ledger.collect, and only then is the block written to again.
"""

import cython
from cython.cimports.libc.stdint import uint64_t
from cython.cimports.libc.stdlib import free, realloc
from cython.cimports.shmzmq.shm.atomics import (
    fetch_and,
    load_acquire,
    load_relaxed,
    lowest_bit,
)
from cython.cimports.shmzmq.shm.blocks import Block, Pool
from cython.cimports.shmzmq.shm.layout import LOANS, RETURNED_WORDS, PipeHeader

from . import segment as segments
from .liveness import is_alive
from .segment import SegmentName, reader_tag

_ALL = cython.declare(uint64_t, 0xFFFFFFFFFFFFFFFF)


@cython.cclass
class Ledger:
    """The loans of *pool*'s blocks over ring *index* of the pipe *segment*, read by *reader*."""

    def __cinit__(self, pool: Pool, segment, index: cython.int, reader):
        self.pool = pool
        self.memory = segment.memory
        address: cython.size_t = segment.memory.start
        header = cython.cast(cython.pointer(PipeHeader), address)
        self.control = cython.address(header.ring[index])
        self.returned = header.returned[index]
        self.blocks = []
        self.pending = []
        self.names = {}
        self.reader = reader
        self.tag = reader_tag(segment.token)

    def __dealloc__(self):
        free(self.entries)

    def lend(self, block, size):
        """Note that the pipe has *block*, and return the loan's number; -1 when it has too many."""
        word: cython.int = 0
        while word < RETURNED_WORDS and self.lent[word] == _ALL:
            word += 1
        if word == RETURNED_WORDS:
            return -1
        if word == self.words:
            more = realloc(self.entries, (word + 1) * 64 * cython.sizeof(Entry))
            if more == cython.NULL:
                return -1
            self.entries = cython.cast(cython.pointer(Entry), more)
            self.blocks.extend([None] * 64)
            self.words += 1
        bit: cython.int = lowest_bit(~self.lent[word])
        mask: uint64_t = cython.cast(uint64_t, 1) << bit
        if load_relaxed(cython.address(self.returned[word])) & mask:
            fetch_and(cython.address(self.returned[word]), ~mask)  # L4
        self.lent[word] |= mask
        loan: cython.int = word * 64 + bit
        self.entries[loan].end = _ALL
        self.entries[loan].size = size
        self.blocks[loan] = block
        self.pool.use(block)
        self.pending.append(loan)
        self.count += 1
        if not self.listed:
            self.listed = True
            self.pool.enlist(self)
        return loan

    def take_back(self, loan):
        """The loan has ended; its block is free unless others have it too."""
        block: Block = self.blocks[loan]
        self.blocks[loan] = None
        self.lent[loan >> 6] &= ~(cython.cast(uint64_t, 1) << (loan & 63))
        self.count -= 1
        self.pool.release(block)
        return 0

    def make_known(self, slab):
        """See to it that the reader finds *slab* also when this process has died meanwhile."""
        if slab.serial in self.names:
            return True
        own = slab.segment.name
        further = str(SegmentName.parse(own)._replace(reader=self.reader, tag=self.tag))
        try:
            segments.link(own, further)
        except OSError:
            return False
        self.names[slab.serial] = further
        return True

    def publish(self, end):
        """The message at hand is published, and the ring stands at *end* behind it."""
        for item in self.pending:
            loan: cython.int = item
            self.entries[loan].end = end
        self.pending.clear()

    def rollback(self):
        """The message at hand is forgotten."""
        for item in self.pending:
            self.take_back(item)
        self.pending.clear()
        return 0

    def revoke(self):
        """The loan made last found no place in the ring."""
        self.take_back(self.pending.pop())
        return 0

    def collect(self):
        """Take back what the reader has returned (L2)."""
        word: cython.int
        bits: uint64_t
        for word in range(self.words):
            # pair "return": what the reader did with the block is over once its bit is seen.
            bits = load_acquire(cython.address(self.returned[word])) & self.lent[word]
            if bits == 0:
                continue
            head: uint64_t = load_acquire(cython.address(self.control.head))
            taken: uint64_t = 0
            while bits:
                bit: cython.int = lowest_bit(bits)
                mask: uint64_t = bits & (~bits + 1)
                bits ^= mask
                if self.ended or self.entries[word * 64 + bit].end <= head:
                    taken |= mask
                    self.take_back(word * 64 + bit)
            if taken:
                fetch_and(cython.address(self.returned[word]), ~taken)
        return 0

    def has_returned(self):
        """Whether the reader has set a bit that was not taken yet."""
        word: cython.int
        for word in range(self.words):
            if load_relaxed(cython.address(self.returned[word])) & self.lent[word]:
                return True
        return False

    def end(self):
        """The pipe is gone: who has blocks of it may still look at them (L3)."""
        self.rollback()
        self.ended = True
        self.collect()
        self.take_from_dead()

    def take_from_dead(self):
        """Take everything back once the pipe has ended and its reader has died."""
        if not self.ended or (self.count == 0 and not self.names) or is_alive(self.reader):
            return 0
        self.forget_names()
        loan: cython.int
        for loan in range(self.words * 64):
            if self.blocks[loan] is not None:
                self.take_back(loan)
        return 0

    def forget_names(self):
        """Take the names away that were made for the reader: nobody will open them."""
        for name in self.names.values():
            segments.unlink(name)
        self.names = {}

    def payload(self, loan: cython.int):
        """Return a copy of what was lent as *loan*; None when there is no such loan."""
        if not 0 <= loan < self.words * 64 or self.blocks[loan] is None:
            return None
        block: Block = self.blocks[loan]
        return block.address[: self.entries[loan].size]

    def describe(self):
        """Return what is out, by name."""
        return {"count": self.count, "ended": bool(self.ended), "names": sorted(self.names)}


assert LOANS == RETURNED_WORDS * 64, "a bit for each loan"
