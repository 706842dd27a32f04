cimport cython
from libc.stdint cimport int64_t, uint64_t

from shmzmq.patterns.topics cimport TopicTable
from shmzmq.pipe cimport Pipe
from shmzmq.shm.batch cimport Batch
from shmzmq.shm.waiting cimport Watch


@cython.final
cdef class FairQueue:
    cdef list pipes            # the first `active` of them are in the active list
    cdef int active, current
    cdef bint more             # in the middle of a message from pipes[current]
    cdef Pipe last             # where the part read last came from
    cdef list ended            # shared with the pattern

    cdef void add(self, Pipe pipe)
    cdef void remove(self, Pipe pipe)
    cdef void activate(self, Pipe pipe)
    cdef void deactivate(self, Pipe pipe)
    cdef object recv(self)
    cdef int64_t take(
        self, Batch batch, uint64_t most, TopicTable topics, bint inverted
    ) except -1
    cdef int pass_by(self, Pipe pipe, int looked) except -2
    cdef void next_pipe(self) noexcept
    cdef bint drop_unwanted(self, Pipe pipe, TopicTable topics, bint inverted) except -1
    cdef void skip_message(self)
    cdef bint has_in(self)
    cdef bint rest(self)
    cdef int watch(self, Watch *watches, int most)
    cdef void swap(self, int i, int j)
    cdef int _end(self, Pipe pipe) except -1
