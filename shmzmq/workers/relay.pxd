cimport cython
from libc.stdint cimport uint64_t

from shmzmq.pipe cimport Pipe
from shmzmq.shm.ring cimport Mark
from shmzmq.zmtp.codec cimport FrameCodec

cdef extern from "<sys/uio.h>" nogil:
    struct iovec:
        void *iov_base
        size_t iov_len
    ssize_t readv(int fd, const iovec *pieces, int count)

cdef extern from "<sys/socket.h>" nogil:
    struct msghdr:
        iovec *msg_iov
        size_t msg_iovlen
    ssize_t sendmsg(int fd, const msghdr *message, int flags)
    int MSG_DONTWAIT, MSG_NOSIGNAL

cdef enum:
    # What a turn came to. For both directions:
    RELAY_MORE = 1       # its share is used up; there may be more to do at once
    RELAY_IDLE = 2       # all is done for now: the ring is empty, the stream has no more
    RELAY_BLOCKED = 3    # the stream takes no more; the ring has no room
    # Sending:
    RELAY_FINISHED = 4   # the application said goodbye, and all before that is written
    # Receiving:
    RELAY_COMMAND = 5    # a command for the session, in `command`
    RELAY_ENDED = 6      # the stream has ended

    BATCH = 65536        # octets of headers and small bodies for one system call
    COPIED_MOST = 4096   # a body up to this size is copied into the batch, a larger one sent in place
    PIECES = 128         # of a batch: stretches of it, and large bodies between them
    ENDS = 2048          # whole messages in a batch


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
    cdef void account(self, uint64_t count) noexcept


@cython.final
cdef class Buffer:
    cdef char octets[BATCH]


@cython.final
cdef class Receiving:
    cdef Pipe pipe
    cdef FrameCodec codec
    cdef int fd
    cdef bint subscriptions      # the peer's SUBSCRIBE and CANCEL become messages for the socket
    cdef readonly bytes command  # what receive found: the body of a command frame
    cdef readonly uint64_t count # octets received so far
    cdef Buffer buffer           # None while nothing is in it
    cdef uint64_t begin, end     # of what is in the buffer and not yet looked at
    cdef uint64_t most           # octets for one system call
    cdef uint64_t asked          # octets that the last read had room for
    cdef char *rest              # where the rest of a body goes
    cdef uint64_t missing        # octets of it
    cdef bint more               # of that frame
    cdef bytearray half          # the command whose rest is missing; None when it is a message's
    cdef bytes pending           # a whole command that has not been acted upon

    cdef int place(self) except -1
    cdef int take_frame(self, const char *octets, uint64_t available) except -1
    cdef int take_part(self, const char *body, uint64_t available) except -1
    cdef void end_part(self) noexcept
    cdef int act(self) except -1
    cdef int await_memory(self, int rc, uint64_t size) except -1
    cdef ssize_t fetch(self) except -2
