cimport cython
from libc.stdint cimport uint32_t, uint64_t

from shmzmq.shm.patience cimport Patience

cdef extern from "<sys/epoll.h>" nogil:
    ctypedef union epoll_data_t:
        int fd
    struct epoll_event:
        uint32_t events
        epoll_data_t data
    int epoll_wait(int epfd, epoll_event *events, int most, int timeout_ms)
    const uint32_t EPOLLIN, EPOLLOUT

cdef enum:
    READY_MOST = 64  # descriptors told of by one look; the others are told of by the next


cdef class Source:
    cdef int ready(self, int events) except -1


cdef class Turns:
    cdef Patience patience
    cdef bint has_news(self) noexcept nogil
    cdef bint work(self) except -1
    cdef bint may_sleep(self) except -1
    cdef int awake(self) except -1


@cython.final
cdef class Timer:
    cdef Reactor reactor
    cdef object call               # None: it has been called, or is not to be


@cython.final
cdef class Reactor:
    cdef object epoll
    cdef dict callbacks            # descriptor -> Source, or what to call with the events
    cdef list timers               # a heap of (time, serial, Timer)
    cdef int cancelled             # of these, how many will not come
    cdef uint64_t serial
    cdef bint running
    cdef bint changed              # something besides traffic has happened since after_each
    cdef readonly uint64_t loops

    cdef int wait_awake(self, epoll_event *ready, Turns turns) except -2
    cdef int sleep(self, epoll_event *ready, Turns turns, int timeout_ms) except -1
    cdef int wait(self, epoll_event *ready, int timeout_ms) except -1
    cdef int dispatch(self, epoll_event *ready, int count) except -1
    cdef int until_next_timer(self) except -2
    cdef int run_timers(self) except -1
    cdef int note_cancelled(self) except -1
