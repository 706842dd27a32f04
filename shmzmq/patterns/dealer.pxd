from shmzmq.patterns.pattern cimport Pattern


cdef class Dealer(Pattern):
    pass
