from shmzmq.patterns.pattern cimport Pattern


cdef class Pull(Pattern):
    pass
