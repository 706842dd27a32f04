cimport cython
from libc.stdint cimport int64_t, uint64_t

from shmzmq.shm.blocks cimport Block, Pool


cdef enum:
    # From this size on a payload goes into a block, or by reference within a process.
    BLOCK_FROM = 32768
    REFERENCE_FROM = 2048


# Writable memory that is sent without a copy.
@cython.final
@cython.no_gc
cdef class Loan:
    cdef Pool pool
    cdef Block block                   # None: plain memory, which is copied when it is sent
    cdef object memory                 # keeps the block mapped
    cdef char *address
    cdef readonly uint64_t nbytes


# What one socket sends: a large payload is put into a block once, for all pipes that it goes to.
@cython.final
cdef class Lender:
    cdef readonly Pool pool            # None: nothing is lent
    cdef const char *source            # what the user sends, as the pattern hands it on; or NULL
    cdef uint64_t size
    cdef Block block                   # with that payload; None until a pipe asked for it
    cdef int64_t deadline              # of waits for blocks to return, 0 before the first
    cdef object payload                # the payload as an object that does not change; or None

    cdef void begin(self, const char *data, uint64_t size, object payload)
    cdef void begin_loan(self, Loan loan)
    cdef bint has_block(self, const char *data, uint64_t size) noexcept
    cdef Block block_for(self, const char *data, uint64_t size, bint may_grow)
    cdef object payload_for(self, const char *data, uint64_t size)
    cdef bint is_sending(self, const char *data, uint64_t size) noexcept
    cdef int done(self) except -1
    cdef int _drop_block(self) except -1
    cdef bint give_back(self) except -1
    cdef bint await_return(self) except -1
