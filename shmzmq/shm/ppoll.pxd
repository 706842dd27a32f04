# poll(2) and ppoll(2); Cython's own declarations lack ppoll.

cdef extern from "<poll.h>" nogil:
    struct timespec:
        long tv_sec
        long tv_nsec
    ctypedef struct sigset_t:
        pass
    struct pollfd:
        int fd
        short events
        short revents
    int ppoll(pollfd *fds, unsigned long count, const timespec *timeout, const sigset_t *mask)
    short POLLIN, POLLOUT, POLLERR, POLLPRI, POLLHUP, POLLNVAL
