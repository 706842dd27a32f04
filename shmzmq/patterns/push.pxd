from shmzmq.patterns.pattern cimport Pattern


cdef class Push(Pattern):
    pass
