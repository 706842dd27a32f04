from libc.stdint cimport uint64_t

from shmzmq.patterns.pattern cimport Pattern
from shmzmq.pipe cimport Pipe


cdef class Router(Pattern):
    cdef dict by_id            # routing id -> pipe
    cdef dict names            # and back: pipe -> the routing id it is known by
    cdef object notices        # deque of routing ids of peers that came or went (ROUTER_NOTIFY)
    cdef int notify
    cdef bint handover
    cdef Pipe leaving          # its name is another's by now; it ends with the message at hand
    cdef dict unheard          # pipes whose far end has not said who it is, or as somebody who is here already
    cdef uint64_t next_id
    cdef bint held             # has_in found a message: its id and first part wait
    cdef bytes held_id
    cdef object held_part
    cdef bint held_more
    cdef bint sending          # the routing id was taken, the parts are to follow
    cdef Pipe target           # who they go to; None: nobody, they are dropped
    cdef bint mandatory
    cdef Pipe awaited          # who had no room for the message refused last (ROUTER_MANDATORY)

    cdef int end_leaving(self) except -1
    cdef int choose_target(self, bytes routing_id) except -1
    cdef bint find(self) except -1
