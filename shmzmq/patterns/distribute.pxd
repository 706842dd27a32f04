cimport cython
from libc.stdint cimport uint64_t

from shmzmq.pipe cimport Pipe
from shmzmq.shm.batch cimport Slice


@cython.final
cdef class Distributor:
    cdef list pipes            # all of them
    cdef list chosen           # those that the message being sent goes to
    cdef bint more
    cdef readonly uint64_t dropped
    cdef list ended            # shared with the pattern

    cdef void add(self, Pipe pipe)
    cdef void remove(self, Pipe pipe)
    cdef void choose(self, list pipes)
    cdef void send(self, const char *data, uint64_t size, bint more)
    cdef int send_many(self, list wanted, const Slice *slices, uint64_t count) except -1
    cdef void send_one(self, Pipe pipe, const Slice *message)
    cdef void rollback(self)
