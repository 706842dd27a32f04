from libc.stdint cimport uint64_t

from shmzmq.patterns.pattern cimport Pattern
from shmzmq.pipe cimport Pipe


cdef class Req(Pattern):
    cdef bint receiving        # the request is out, the reply awaited
    cdef bint began            # the empty delimiter of this request is written
    cdef Pipe asked            # who the request went to
    cdef object held           # the first part of the reply, found but not yet received
    cdef bint correlate, relaxed
    cdef uint64_t request_number
    cdef bytes request_id      # of the request that is out; None when it has none

    cdef int begin(self) except -1
    cdef int give_up_reply(self) except -1
    cdef object find_reply(self)
