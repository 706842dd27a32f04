cimport cython
from libc.stdint cimport uint64_t

from shmzmq.pipe cimport Pipe
from shmzmq.shm.ring cimport Mark
from shmzmq.workers.relay cimport BATCH, ENDS, PIECES, iovec
from shmzmq.zmtp.codec cimport FrameCodec

# Where a message ends: in the octets of a batch, and in the ring.
cdef struct End:
    uint64_t octets
    Mark mark


@cython.final
cdef class Batch:
    cdef char octets[BATCH]
    cdef iovec pieces[PIECES]
    cdef End ends[ENDS]


@cython.final
cdef class Sending:
    cdef Pipe pipe
    cdef FrameCodec codec
    cdef int fd
    cdef bint commands           # subscriptions go out as the commands of ZMTP 3.1
    cdef bint in_message         # what was gathered ends between two parts
    cdef bint goodbye            # the application closes: nothing follows
    cdef list spoken             # commands of the session, to be put between messages
    cdef bytes speaking          # those in the batch
    cdef Batch batch             # None while there is nothing to send
    cdef uint64_t filled         # octets of the batch in use
    cdef int count, at           # pieces there are, and the first that is not sent whole
    cdef int end_count, end_at   # likewise of the messages that end in this batch
    cdef uint64_t gathered, sent # octets of this batch: all, and those that the kernel has
    cdef uint64_t most           # octets for one system call, 0: any number
    cdef uint64_t asked          # octets that the last one was to send

    cdef int gather(self) except -1
    cdef ssize_t write_out(self) noexcept
    cdef int gather_record(self) except -1
    cdef void append(self, const char *octets, uint64_t size) noexcept
    cdef int account(self, uint64_t count) except -1
