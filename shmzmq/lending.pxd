cimport cython
from libc.stdint cimport uint64_t

from shmzmq.shm.blocks cimport Block
from shmzmq.shm.ledger cimport Ledger
from shmzmq.shm.lender cimport Lender
from shmzmq.shm.ring cimport Producer


@cython.final
cdef class Lending:
    cdef Lender lender                # the socket's
    cdef Ledger ledger                # what the far end has been lent; None while there is none
    cdef dict parcels                 # what is on its way by reference; None between processes
    cdef list pending                 # such parcels of the message that is not yet published
    cdef uint64_t parcel              # the number of the last one
    cdef uint64_t least               # the size from which on payloads do not go through the ring
    cdef bint has_loans               # in the message that is not yet published
    cdef uint64_t stalled_head        # where the reader stood when it was waited for in vain
    cdef bint stalled

    cdef int write(self, Producer out, const char *data, uint64_t size, int flags) except -2
    cdef int write_block(self, Producer out, Block block, uint64_t size, int flags) except -2
    cdef int write_descriptor(
        self, Producer out, uint64_t serial, uint64_t offset, uint64_t size, uint64_t loan,
        int flags,
    ) except -2
    cdef int write_parcel(
        self, Producer out, const char *data, uint64_t size, int flags
    ) except -2
    cdef Block find_block(self, Producer out, const char *data, uint64_t size)
    cdef int await_reader(self, Producer out, uint64_t size) except -1
    cdef void publish(self, uint64_t end)
    cdef int rollback(self) except -1
