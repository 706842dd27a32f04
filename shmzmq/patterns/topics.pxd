cimport cython
from libc.stdint cimport uint64_t


@cython.final
cdef class TopicTable:
    cdef dict prefixes         # prefix -> {subscriber: None}, in the order of subscribing
    cdef dict lengths          # length -> how many prefixes have it
    cdef list sorted_lengths   # those in use, shortest first
    cdef list everyone         # who takes every topic, when there is no prefix but the empty one

    cdef list match_buffer(self, const char *topic, uint64_t size)
    cdef bint wants_buffer(self, const char *topic, uint64_t size) except -1
    cdef bint wants_all(self) noexcept
    cdef int changed(self) except -1
