from shmzmq.patterns.addressing cimport Addressing
from shmzmq.patterns.pattern cimport Pattern
from shmzmq.pipe cimport Pipe


cdef class Router(Pattern):
    cdef Addressing to         # whom messages go to
    cdef object notices        # deque of routing ids of peers that came or went (ROUTER_NOTIFY)
    cdef int notify
    cdef bint handover
    cdef Pipe leaving          # its name is another's by now; it ends with the message at hand
    cdef dict unheard          # pipes whose far end has not said who it is, or as somebody who is here already
    cdef bint held             # has_in found a message: its id and first part wait
    cdef bytes held_id
    cdef object held_part
    cdef bint held_more

    cdef int end_leaving(self) except -1
    cdef bint find(self) except -1
