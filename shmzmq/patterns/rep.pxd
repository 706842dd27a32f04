from libc.stdint cimport uint64_t

from shmzmq.patterns.pattern cimport Pattern
from shmzmq.pipe cimport Pipe


cdef class Rep(Pattern):
    cdef bint sending          # a request was received, its reply is due
    cdef bint began            # the envelope of this reply is written
    cdef list envelope         # the parts in front of the request, the delimiter with them
    cdef Pipe asker            # who the reply is for; None when it has gone
    cdef object held            # the first part of a request, found but not yet received
    cdef object find_request(self)
    cdef void give_up(self)
    cdef bint write(self, const char *data, uint64_t size, bint more) except -1
