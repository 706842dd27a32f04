from shmzmq.patterns.pattern cimport Pattern
from shmzmq.patterns.subscriber cimport Subscriber


cdef class Sub(Pattern):
    cdef Subscriber subscriber
