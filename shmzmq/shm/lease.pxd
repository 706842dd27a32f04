cimport cython
from libc.stdint cimport uint64_t


# Another process's pool segment, mapped for reading; one for all pipes that read from it.
@cython.final
cdef class PoolView:
    cdef object memory
    cdef const char *base
    cdef readonly uint64_t size
    cdef object __weakref__

    cdef bint is_retired(self) noexcept


# A payload that is not copied: a buffer. No object attribute can be part of a cycle back to it.
@cython.final
@cython.no_gc
cdef class Lease:
    cdef const char *address
    cdef readonly uint64_t size
    cdef object keeper                 # keeps the payload mapped, or is whose memory it is
    cdef object pipe_memory            # keeps `word` mapped
    cdef uint64_t *word                # of `returned`; NULL when there is nobody to return it to
    cdef uint64_t mask
    cdef bint is_read                  # its message was received as a whole, or is left for good
    cdef int generation

    cdef bytes copy(self)


cdef Lease lease_of(const char *address, uint64_t size, object keeper)
cdef void give_back(uint64_t *word, uint64_t mask) noexcept
cdef bytes as_bytes(object part)
