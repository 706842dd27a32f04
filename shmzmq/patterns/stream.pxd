from libc.stdint cimport uint64_t

from shmzmq.patterns.pattern cimport Pattern
from shmzmq.pipe cimport Pipe


cdef class Stream(Pattern):
    cdef bint mandatory        # a message for nobody is an error
    cdef dict by_id            # routing id -> pipe
    cdef dict names            # pipe -> routing id
    cdef bytes latest_id       # of the pipe that came last
    cdef uint64_t next_id
    cdef bytes held_id         # of the message that waits or is being received; None: it was handed out
    cdef bytes held_part       # what the peer said; None: nothing waits
    cdef bint sending          # the routing id was taken, what goes to it is to follow
    cdef Pipe target           # who that is; None: nobody, it is dropped
    cdef Pipe awaited          # who had no room for the message refused last

    cdef int choose_target(self, bytes routing_id) except -1
    cdef bint find(self) except -1
