from libc.stdint cimport int64_t, uint64_t

from shmzmq.shm.batch cimport Slice


# Messages that are to be sent, from the first one on.
cdef class Source:
    cdef readonly uint64_t count
    cdef readonly uint64_t sent
    cdef bint multipart                # the objects are sequences of parts

    cdef uint64_t fill(self, uint64_t first, Slice *slices, uint64_t most) except? 0
    cdef Slice slice_at(self, uint64_t index) except *
    cdef object object_at(self, uint64_t index)


cdef class Objects(Source):
    cdef tuple items


cdef class Rows(Source):
    cdef Py_buffer view
    cdef Py_ssize_t stride
    cdef uint64_t width


cdef class Messages(Source):
    cdef list items


cdef class Packed(Source):
    cdef Py_buffer view, ends
    cdef uint64_t item                 # bytes of one offset: 4 or 8

    cdef int64_t offset(self, uint64_t index) noexcept
    cdef int _check(self) except -1


cdef int _check_part(object item, tuple items) except -1
