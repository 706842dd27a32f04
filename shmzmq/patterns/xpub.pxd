from shmzmq.patterns.pattern cimport Pattern
from shmzmq.patterns.publisher cimport Publisher


cdef class XPub(Pattern):
    cdef Publisher publisher
