cimport cython
from libc.stdint cimport int64_t, uint64_t

from shmzmq.patterns.distribute cimport Distributor
from shmzmq.patterns.topics cimport TopicTable
from shmzmq.pipe cimport Pipe
from shmzmq.shm.batch cimport Slice


@cython.final
cdef class Publisher:
    cdef Distributor out
    cdef TopicTable topics     # prefix -> pipes
    cdef TopicTable requests   # what peers asked for, granted or not (XPUB_MANUAL)
    cdef object upstream       # deque of parts for the user, or None when he gets none
    cdef bint in_user_message
    cdef bint any_part         # whether later parts of the message at hand may be subscriptions
    cdef list parts            # what has been read of a message for the user
    cdef Pipe last             # whose request the user read last (XPUB_MANUAL)
    cdef Pipe awaited          # who had no room for the message refused last (XPUB_NODROP)
    cdef bytes welcome         # for every new subscriber; empty: nothing
    cdef bint selects          # one of the next three is set
    cdef bint inverted, lossless, last_only
    cdef bint manual, only_first
    cdef bint tell_all_subscribed, tell_all_cancelled, verbose_unsubscribe

    cdef int send(self, const char *data, uint64_t size, bint more) except -1
    cdef int64_t send_many(self, const Slice *slices, uint64_t count) except -1
    cdef list select(self, list wanted)
    cdef bint is_blocked(self) except -1
    cdef tuple receive(self)
    cdef bint tells_all_cancelled(self) except -1
    cdef int absorb(self, Pipe pipe) except -1
    cdef int _take(self, Pipe pipe, bytes data) except -1
    cdef bint _request(self, Pipe pipe, bytes prefix, bint subscribe) except -1
