cimport cython
from libc.stdint cimport int64_t, uint64_t

from shmzmq.shm.layout cimport RingControl

# What a write or a look at the ring came to.
cdef enum:
    RING_OK = 1        # written; there is a record
    RING_EMPTY = 0     # nothing to read
    RING_FULL = 2      # the high water mark is reached
    RING_NO_MEMORY = 3 # the ring cannot grow (ENOSPC and the like): as good as full
    RING_HELD = 4      # records lie in another area: release those in this one first
    RING_BROKEN = -1   # the peer wrote nonsense; the pipe ends

cdef uint64_t CHAIN_RESERVE

# How far a consumer that reads ahead has come: the end of a message.
cdef struct Mark:
    uint64_t head, read, bytes_read
    uint64_t stepped


@cython.final
cdef class Producer:
    cdef RingControl *control
    cdef char *data
    cdef uint64_t base, capacity       # where the current area begins, and its size
    cdef uint64_t tail, published      # tail counts what is not yet published too
    cdef uint64_t head_seen, read_seen # the consumer's words as last looked at
    cdef uint64_t written, bytes_written, pending_bytes
    cdef uint64_t limit                # messages; 0: none
    cdef char *payload                 # of the record written last
    cdef bint broken, stalled
    cdef object segment                # keeps the control block mapped
    cdef object make_area
    cdef list areas                    # (base, segment) of every area that the consumer may still need
    cdef Py_buffer view, area_view

    cdef bint has_room(self) noexcept
    cdef int write(self, const char *data, uint64_t size, int flags) except -2
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


@cython.final
cdef class Consumer:
    cdef RingControl *control
    cdef const char *data
    cdef uint64_t base, capacity
    cdef uint64_t head, tail_seen
    cdef uint64_t read, bytes_read
    cdef const char *record            # the record found by peek: payload, size, flags
    cdef uint64_t record_size
    cdef int record_flags
    cdef uint64_t stepped, released    # records read ahead, and those of them given back
    cdef Mark last                     # what was released last
    cdef bint in_message               # the record read last has another part behind it
    cdef bint overrun                  # a chain must come before tail_seen
    cdef bint broken
    cdef bint leaving                  # head is not published any more
    cdef object segment
    cdef object open_area
    cdef object reason                 # why the ring is broken, for the report
    cdef Py_buffer view, area_view

    cdef int peek(self) except -2
    cdef int look_at_writer(self) except -2
    cdef int take_special(self, uint64_t place) except -2
    cdef void advance(self) noexcept
    cdef void step(self) noexcept
    cdef void mark(self, Mark *mark) noexcept
    cdef void release(self, Mark *mark) noexcept
    cdef void rewind(self) noexcept
    cdef bint is_empty(self) noexcept
    cdef int spoil(self, object reason) except -2
    cdef void _step_over(self) noexcept
    cdef int follow_chain(self) except -2
    cdef int enter_area(self, object segment) except -2
