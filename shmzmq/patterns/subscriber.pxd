cimport cython
from libc.stdint cimport int64_t, uint64_t

from shmzmq.patterns.fair_queue cimport FairQueue
from shmzmq.patterns.topics cimport TopicTable
from shmzmq.pipe cimport Pipe

from shmzmq.shm.batch cimport Batch


@cython.final
cdef class Subscriber:
    cdef FairQueue queue
    cdef list pipes
    cdef dict counts           # prefix -> how often the user subscribed to it
    cdef TopicTable topics     # the same prefixes
    cdef object held           # the first part of a message that passed the filter, not yet received
    cdef bint inverted         # what matches is not wanted, and all else is (INVERT_MATCHING)
    cdef bint tell_all_cancelled  # the publishers hear of every cancellation, not of the last only
    cdef bint filtering        # SUB filters what arrives; XSUB leaves that to the publisher

    cdef object recv(self)
    cdef int64_t take(self, Batch batch, uint64_t most) except -1
    cdef bint has_in(self)
    cdef list chosen           # publishers that the user's unfinished message goes to; None between messages
    cdef set spoken            # publishers that a whole message of the user's was sent to, not only subscriptions
    cdef void send_up(self, bytes message, bint more)
    cdef void tell(self, bytes message)
    cdef bint write(self, Pipe pipe, bytes message, bint more)
    cdef bint _wants(self, object topic) except -1
