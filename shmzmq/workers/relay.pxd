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
    int SOL_SOCKET, SO_RCVLOWAT
    int setsockopt(int fd, int level, int name, const void *value, unsigned int size)

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
