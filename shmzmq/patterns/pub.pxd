from shmzmq.patterns.pattern cimport Pattern
from shmzmq.patterns.publisher cimport Publisher


cdef class Pub(Pattern):
    cdef Publisher publisher
