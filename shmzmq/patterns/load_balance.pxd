cimport cython
from libc.stdint cimport int64_t, uint64_t

from shmzmq.pipe cimport Pipe
from shmzmq.shm.batch cimport Slice
from shmzmq.shm.waiting cimport Watch

# What sending came to, for every pattern.
cdef enum:
    SENT = 1
    WOULD_BLOCK = 2


@cython.final
cdef class LoadBalancer:
    cdef list pipes            # the first `active` of them may have room
    cdef int active, current
    cdef bint more             # in the middle of a message to pipes[current]
    cdef bint dropping         # the pipe went in the middle of a message: the rest has nowhere to go
    cdef Pipe last             # where the part sent last went
    cdef list staged           # pipes with messages that are not yet published
    cdef list ended            # shared with the pattern

    cdef void add(self, Pipe pipe)
    cdef void remove(self, Pipe pipe)
    cdef void activate(self, Pipe pipe)
    cdef void deactivate(self, Pipe pipe)
    cdef int send(self, const char *data, uint64_t size, bint more) except -1
    cdef int64_t send_many(self, const Slice *slices, uint64_t count) except -1
    cdef uint64_t stage(self, const Slice *slices, uint64_t count)
    cdef int flush_staged(self) except -1
    cdef void set_aside(self, Pipe pipe, uint64_t wanted)
    cdef int abandon(self, Pipe pipe, uint64_t size, bint more) except -1
    cdef void rollback(self)
    cdef bint has_out(self)
    cdef void revisit(self)
    cdef int watch(self, Watch *watches, int most)
    cdef void swap(self, int i, int j)
