from shmzmq.patterns.pattern cimport Pattern
from shmzmq.pipe cimport Pipe


cdef class Req(Pattern):
    cdef bint receiving        # the request is out, the reply awaited
    cdef bint began            # the empty delimiter of this request is written
    cdef Pipe asked            # who the request went to
    cdef object held            # the first part of the reply, found but not yet received
    cdef object find_reply(self)
