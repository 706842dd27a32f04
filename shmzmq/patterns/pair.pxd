from shmzmq.patterns.pattern cimport Pattern
from shmzmq.pipe cimport Pipe


cdef class Pair(Pattern):
    cdef Pipe pipe
