cimport cython
from libc.stdint cimport int64_t, uint64_t

from shmzmq.shm.doorbell cimport Doorbell
from shmzmq.shm.layout cimport BoardHeader


@cython.final
cdef class Board:
    cdef BoardHeader *header
    cdef readonly object segment      # keeps the memory mapped
    cdef readonly Doorbell doorbell
    cdef Py_buffer view
    cdef object __weakref__

    cdef void post_ready(self, int bit) noexcept nogil
    cdef void post_room(self, int bit) noexcept nogil
    cdef void post_control(self, uint64_t flags) noexcept nogil
    cdef bint has_news(self) noexcept nogil
    cdef void take_news(self) noexcept nogil
    cdef uint64_t take_control(self) noexcept nogil
    cdef uint64_t take_ready(self, int word) noexcept nogil
    cdef uint64_t take_room(self, int word) noexcept nogil
    cdef bint announce_sleep(self) noexcept nogil
    cdef void awake(self) noexcept nogil
