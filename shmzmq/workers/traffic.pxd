cimport cython
from libc.stdint cimport uint64_t

from shmzmq.workers.exchange cimport Carrier, Exchange
from shmzmq.workers.reactor cimport Reactor
from shmzmq.workers.receiving cimport Receiving
from shmzmq.workers.sending cimport Sending


@cython.final
cdef class Traffic(Carrier):
    cdef Reactor reactor
    cdef Exchange exchange
    cdef Sending sending
    cdef Receiving receiving
    cdef object keeper             # a TrafficKeeper; None once it has ended
    cdef int bit, fd
    cdef readonly bint reads       # not while the ring has no room
    cdef bint writable             # not while the stream takes no more
    cdef bint resting              # the application posts when it has written
    cdef readonly bint deaf                 # the application reads no more
    cdef int watched               # what the reactor looks for

    cdef int receive(self) except -1
    cdef int watch(self) except -1
    cdef int fail(self, reason) except -1
