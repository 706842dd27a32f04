from shmzmq.patterns.addressing cimport Addressing
from shmzmq.patterns.pattern cimport Pattern
from shmzmq.pipe cimport Pipe


cdef class Stream(Pattern):
    cdef Addressing to         # whom what is sent goes to
    cdef bytes latest_id       # of the pipe that came last
    cdef bytes held_id         # of the message that waits or is being received; None: it was handed out
    cdef object held_part      # what the peer said, bytes or a Lease; None: nothing waits

    cdef bint find(self) except -1
