cimport cython
from libc.stdint cimport uint64_t

from shmzmq.shm.layout cimport BoxHeader


@cython.final
cdef class Box:
    cdef BoxHeader *header
    cdef readonly object segment
    cdef uint64_t stride               # bytes of a slot: the value's size, the value
    cdef uint64_t mine                 # the slot of this end
    cdef uint64_t last                 # where the writer put its last value
    cdef Py_buffer view

    cdef char *slot(self, uint64_t index) noexcept
    cdef bytes value_in(self, uint64_t index)


@cython.final
cdef class BoxDesk:
    cdef object open_area
    cdef Box box                       # the one that was named last
    cdef bytes name
    cdef bytes value                   # what was taken out of it last, None: nothing yet
    cdef uint64_t position             # of the record that it was taken for
