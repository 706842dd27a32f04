"""What one socket lends: the large payload being sent, and loans that the user fills in place.

A payload is copied into a block at most once, when the first pipe asks for it; all others that it
goes to share that block. The lender holds a use of the block until the send is over, also while the
send waits for room.

Only what the user sends is shared, from `begin` to `done`: so long it stays where it is. Pipes are
written to besides, during a send too (subscriptions, a welcome, what is said anew after a loss);
such a payload is each time another, though it may lie where the last one lay.
"""

import cython
from cython.cimports.cpython.buffer import PyBuffer_FillInfo
from cython.cimports.cpython.bytes import PyBytes_FromStringAndSize
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.stdlib import free, malloc
from cython.cimports.libc.string import memcpy
from cython.cimports.shmzmq.shm.atomics import monotonic_ns
from cython.cimports.shmzmq.shm.blocks import Block, Pool
from cython.cimports.shmzmq.shm.lease import lease_of

_FULL_NS = cython.declare(int64_t, 100_000_000)


@cython.cclass
class Loan:
    """Writable memory for one message part; made by ``Socket.loan``.

    A buffer of `nbytes` bytes: take a memoryview or a numpy array of it, fill it, and send it.
    That copies nothing where receivers share memory with this process, and may be done again. What
    has been sent must not be changed any more. Dropping the loan gives its memory back, once
    neither it nor a view of it is left and every receiver is done.
    """

    def __cinit__(self, pool, nbytes: uint64_t):
        self.nbytes = nbytes
        self.pool = pool
        if pool is not None and nbytes >= BLOCK_FROM:
            self.block = self.pool.allocate(nbytes, True)
        if self.block is not None:
            self.memory = self.block.slab.segment.memory
            self.address = self.block.address
            return
        self.address = cython.cast(cython.p_char, malloc(max(nbytes, 1)))
        if self.address == cython.NULL:
            raise MemoryError(f"no memory for a loan of {nbytes} bytes")

    def __dealloc__(self):
        if self.block is not None:
            self.pool.release(self.block)
        elif self.address != cython.NULL:
            free(self.address)

    def __getbuffer__(self, buffer: cython.pointer(Py_buffer), flags: cython.int):
        PyBuffer_FillInfo(buffer, self, self.address, self.nbytes, 0, flags)

    def __len__(self):
        return self.nbytes

    def __repr__(self):
        where = "plain memory" if self.block is None else "a block"
        return f"<shmzmq.Loan of {self.nbytes} bytes in {where}>"

    @property
    def buffer(self):
        """The memory as a writable memoryview."""
        return memoryview(self)

    @property
    def is_shared(self):
        """Whether the memory is a block, so that sending need not copy it."""
        return self.block is not None


@cython.cclass
class Lender:
    """The payload that a socket is sending, and the *pool* that it takes blocks from, or None."""

    def __init__(self, pool: Pool = None):
        self.pool = pool

    def begin(self, data, size, payload):
        """The socket sends *size* bytes at *data*; *payload* is an object that keeps them."""
        self._drop_block()  # of a send that this one, by a signal's handler, has come in between
        self.source = data
        self.size = size
        self.payload = payload

    def begin_loan(self, loan):
        """The socket sends *loan*, whose block is shared as it is."""
        self.begin(loan.address, loan.nbytes, lease_of(loan.address, loan.nbytes, loan))
        if loan.block is not None and loan.pool is self.pool:
            self.block = loan.block
            self.pool.use(self.block)

    def has_block(self, data, size):
        """Whether these bytes lie in a block: another pipe has asked, or they are a loan."""
        return self.block is not None and self.is_sending(data, size)

    def is_sending(self, data, size):
        """Whether these bytes are what the user sends, and not something said besides."""
        return self.source != cython.NULL and self.source == data and self.size == size

    def block_for(self, data, size, may_grow):
        """Return the block with these bytes; None when there is no room.

        It is the same for all pipes that what the user sends goes to (`block`). That of anything
        else is the caller's, to be released once it is lent.
        """
        if self.has_block(data, size):
            return self.block
        block: Block = self.pool.allocate(size, may_grow)
        if block is None:
            return None
        memcpy(block.address, data, size)
        if self.is_sending(data, size):
            self.block = block
        return block

    def payload_for(self, data, size):
        """Return an object that holds these bytes and never changes, if sent the same for all."""
        if not self.is_sending(data, size):
            return PyBytes_FromStringAndSize(data, size)
        if self.payload is None:
            self.payload = PyBytes_FromStringAndSize(data, size)
        return self.payload

    def done(self):
        """The send is over."""
        self.deadline = 0
        self.source = cython.NULL
        self.payload = None
        self._drop_block()
        return 0

    def _drop_block(self):
        if self.block is not None:
            block: Block = self.block
            self.block = None
            self.pool.release(block)
        return 0

    def give_back(self):
        """Give the memory of blocks back that nobody uses; whether there was any."""
        return self.pool is not None and self.pool.give_back()

    def await_return(self):
        """Wait for a block of those that are out: /dev/shm is full. Whether one came back.

        All waits of one send together take no longer than _FULL_NS. A reader that keeps what it has
        does not tell when it is done, and may be the thread that sends.
        """
        if self.pool is None:
            return False
        if self.deadline == 0:
            self.deadline = monotonic_ns() + _FULL_NS
        if not self.pool.await_any_return(self.deadline):
            self.deadline = 0
            return False
        self.pool.collect_from_dead()
        return True

    def loan(self, nbytes: uint64_t):
        """Return a Loan of *nbytes* bytes; where the pool is at its bound, after a short wait."""
        loan: Loan = Loan(self.pool, nbytes)
        if loan.block is not None or self.pool is None or nbytes < BLOCK_FROM:
            return loan
        return Loan(self.pool, nbytes) if self.pool.await_return(nbytes) else loan
