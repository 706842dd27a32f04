cimport cython

from shmzmq.shm.lender cimport Lender
from shmzmq.shm.patience cimport Patience
from shmzmq.workers.mail cimport Mail
from shmzmq.workers.reactor cimport Reactor, Source, Turns


cdef class Carrier(Source):
    cdef bint send(self) except -1
    cdef int on_room(self) except -1


@cython.final
cdef class Rung(Source):
    pass


@cython.final
cdef class Exchange(Turns):
    cdef Reactor reactor
    cdef Mail mail                 # None while there are no carriers
    cdef readonly Lender lender    # of the blocks that large parts are received into
    cdef Patience after_sending    # for what comes after something went to a stream,
    cdef Patience after_receiving  # or came from one
    cdef dict carriers             # all of them, by their bits on the board
    cdef dict active               # those that are looked at in each round

    cdef Mail made(self)
    cdef int take_mail(self) except -1
