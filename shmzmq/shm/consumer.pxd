cimport cython
from libc.stdint cimport int64_t, uint64_t

from shmzmq.shm.batch cimport Batch
from shmzmq.shm.layout cimport RingControl
from shmzmq.shm.parts cimport Parts

# How far a consumer that reads ahead has come: the end of a message.
cdef struct Mark:
    uint64_t head, read, bytes_read
    uint64_t stepped


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
    cdef object part                   # the payload at hand, when it does not lie in the ring
    cdef uint64_t part_span            # bytes of the ring that its record takes
    cdef Parts parts                   # finds such, and holds those that were gone past
    cdef bint keeping                  # it holds some of the message that is not read to its end

    cdef int peek(self) except -2
    cdef int look_at_writer(self) except -2
    cdef int take_special(self, uint64_t place) except -2
    cdef void advance(self) noexcept
    cdef int64_t take(self, Batch batch, uint64_t most, uint64_t largest) except -1
    cdef int _take_run(self, Batch batch, uint64_t most, uint64_t largest) except -1
    cdef void step(self)
    cdef void mark(self, Mark *mark) noexcept
    cdef void release(self, Mark *mark)
    cdef void rewind(self)
    cdef void _step_over(self) noexcept
    cdef bint is_empty(self) noexcept
    cdef int spoil(self, object reason) except -2
    cdef int follow_chain(self) except -2
    cdef int enter_area(self, object segment) except -2
    cdef int find_part(self) except -2
    cdef int pass_by(self) except -2
    cdef void keep_part(self)
