cimport cython
from libc.stdint cimport uint64_t

from shmzmq.pipe cimport Pipe


@cython.final
cdef class Addressing:
    cdef dict by_id            # routing id -> pipe
    cdef dict names            # and back: pipe -> the routing id it is known by
    cdef uint64_t next_id
    cdef bint mandatory        # a message for nobody is an error, one for a full peer waits
    cdef bint sending          # the routing id was taken, the parts are to follow
    cdef Pipe target           # who they go to; None: nobody, they are dropped
    cdef Pipe awaited          # who had no room for the message refused last
    cdef list ended            # shared with the pattern

    cdef void name(self, Pipe pipe)
    cdef void add(self, Pipe pipe)
    cdef bytes remove(self, Pipe pipe)
    cdef int begin(self, bytes routing_id) except -1
    cdef void let_go(self, Pipe pipe)
    cdef void rollback(self)
    cdef bint is_blocked(self)
