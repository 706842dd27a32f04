from libc.stdint cimport int64_t, uint64_t

from shmzmq.patterns.fair_queue cimport FairQueue
from shmzmq.patterns.load_balance cimport LoadBalancer
from shmzmq.pipe cimport Pipe
from shmzmq.shm.batch cimport Batch, Slice
from shmzmq.shm.waiting cimport Watch


cdef class Pattern:
    cdef public bint more      # the part received last has another behind it
    cdef readonly uint64_t dropped  # messages that were dropped for want of room or of a peer
    cdef readonly list ended   # pipes at their end: the socket takes them away
    cdef Pipe source           # where the part received last came from
    cdef FairQueue queue       # None where nothing is received, or not this way
    cdef bytes probe           # the first messages of every connection; None: there is none
    cdef bytes hello
    cdef LoadBalancer out      # None where nothing is sent, or not this way

    cdef int send(self, const char *data, uint64_t size, bint more) except -1
    cdef object recv(self)
    cdef int64_t send_many(self, const Slice *slices, uint64_t count) except -1
    cdef int64_t send_each(self, const Slice *slices, uint64_t count) except -1
    cdef int64_t recv_many(self, Batch batch, uint64_t most) except -1
    cdef int64_t recv_each(self, Batch batch, uint64_t most) except -1
    cdef int refuse_midway(self) except -1
    cdef int refuse_unaddressed(self) except -1
    cdef int refuse_batches(self) except -1
    cdef bint has_in(self) except -1
    cdef bint has_out(self) except -1
    cdef bint is_blocked(self) except -1
    cdef int on_ready(self, Pipe pipe) except -1
    cdef int on_room(self, Pipe pipe) except -1
    cdef bint rest(self) except -1
    cdef int watch_in(self, Watch *watches, int most)
    cdef int watch_out(self, Watch *watches, int most)
