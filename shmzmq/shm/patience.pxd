cimport cython
from libc.stdint cimport int64_t

cdef extern from "<sched.h>" nogil:
    int sched_yield()


@cython.final
cdef class Patience:
    cdef readonly int64_t budget_ns  # how long to stay awake the next time
    cdef int64_t credit_ns           # how much of that may turn out to be in vain
    cdef int64_t credited_ns         # until when the credit has been reckoned
    cdef int64_t hogged_until_ns     # somebody computes on this CPU
    cpdef int64_t allowance(self, int64_t now) noexcept nogil
    cpdef void rewarded(self) noexcept nogil
    cpdef void in_vain(self, int64_t spent_ns) noexcept nogil
    cpdef void slept(self, int64_t asleep_ns) noexcept nogil
    cdef int64_t give_way(self, int64_t now) noexcept nogil
    cpdef void gave_way(self, int64_t before, int64_t after) noexcept nogil
