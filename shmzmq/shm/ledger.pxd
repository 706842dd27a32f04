cimport cython
from libc.stdint cimport uint64_t

from shmzmq.shm.blocks cimport Block, Pool, Slab
from shmzmq.shm.layout cimport RingControl


# One loan, as its lender keeps it.
cdef struct Entry:
    uint64_t end                       # where the ring stands behind its message; ~0 before it is published
    uint64_t size                      # of the payload


@cython.final
cdef class Ledger:
    cdef Pool pool
    cdef object memory                 # keeps the pipe's first page mapped
    cdef RingControl *control
    cdef uint64_t *returned            # in shared memory: the reader sets bits
    cdef uint64_t lent[128]            # our own: which loans are out
    cdef int words                     # of `lent` that have ever been in use
    cdef Entry *entries                # 64 for each of these words
    cdef list blocks                   # likewise
    cdef list pending                  # loans in records that are not yet published
    cdef int count                     # loans that are out
    cdef bint listed                   # the pool looks at this ledger
    cdef bint ended                    # the pipe is gone; the reader may still have views
    cdef object reader                 # who reads from the pipe (ProcessId)
    cdef object tag                    # of this pipe, in the names made for its reader
    cdef readonly dict names           # serial -> the name that the reader finds that slab by

    cdef int lend(self, Block block, uint64_t size) except -2
    cdef int take_back(self, int loan) except -1
    cdef bint make_known(self, Slab slab) except -1
    cdef void publish(self, uint64_t end)
    cdef int rollback(self) except -1
    cdef int revoke(self) except -1
    cdef int collect(self) except -1
    cdef int take_from_dead(self) except -1
    cdef bint has_returned(self) noexcept nogil
