from shmzmq.patterns.pattern cimport Pattern
from shmzmq.patterns.subscriber cimport Subscriber


cdef class XSub(Pattern):
    cdef Subscriber subscriber
    cdef bint sending          # in the middle of a user's message upstream
    cdef bint any_part         # whether later parts of the message at hand may be subscriptions
    cdef bint only_first       # ONLY_FIRST_SUBSCRIBE
