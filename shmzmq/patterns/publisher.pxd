cimport cython
from libc.stdint cimport uint64_t

from shmzmq.patterns.distribute cimport Distributor
from shmzmq.patterns.topics cimport TopicTable
from shmzmq.pipe cimport Pipe


@cython.final
cdef class Publisher:
    cdef Distributor out
    cdef TopicTable topics     # prefix -> pipes
    cdef object upstream       # deque of messages for the user, or None when he gets none
    cdef bint in_user_message
    cdef list parts            # what has been read of a message for the user

    cdef int send(self, const char *data, uint64_t size, bint more) except -1
    cdef int absorb(self, Pipe pipe) except -1
    cdef int _take(self, Pipe pipe, bytes data) except -1
