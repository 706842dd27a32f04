cimport cython

from shmzmq.shm.board cimport Board


@cython.final
cdef class Mail:
    cdef readonly Board board
    cdef int words     # of the bitmaps that are in use

    cpdef tuple take(self)
