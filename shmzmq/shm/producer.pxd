cimport cython
from libc.stdint cimport uint64_t

from shmzmq.shm.batch cimport Slice
from shmzmq.shm.layout cimport RingControl


@cython.final
cdef class Producer:
    cdef RingControl *control
    cdef char *data
    cdef uint64_t base, capacity       # where the current area begins, and its size
    cdef uint64_t tail, published      # tail counts what is not yet published too
    cdef uint64_t head_seen, read_seen # the consumer's words as last looked at
    cdef uint64_t written, bytes_written, pending_bytes
    cdef uint64_t staged, staged_bytes # whole messages that are not yet published
    cdef uint64_t limit                # messages; 0: none
    cdef char *payload                 # of the record written last
    cdef bint broken, stalled
    cdef object segment                # keeps the control block mapped
    cdef int index                     # of the ring; that of the end that made the pipe is 0
    cdef object make_area
    cdef list areas                    # (base, segment) of every area that the consumer may still need
    cdef Py_buffer view, area_view

    cdef bint has_room(self) noexcept
    cdef int write(self, const char *data, uint64_t size, int flags) except -2
    cdef uint64_t stage(self, const Slice *slices, uint64_t count) noexcept
    cdef uint64_t _stage(self, const Slice *slices, uint64_t count) noexcept
    cdef void publish(self) noexcept
    cdef void rollback(self) noexcept
    cdef bint look_at_reader(self) noexcept
    cdef bint fits(self, uint64_t size) noexcept
    cdef void put(self, const char *data, uint64_t size, int flags) noexcept
    cdef int grow(self, uint64_t size) except -2
    cdef bint await_space(self, uint64_t size) noexcept
    cdef bytes take_pending(self)
    cdef void enter_area(self, object segment, uint64_t base)
    cdef void _let_areas_go(self)
