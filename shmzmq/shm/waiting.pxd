cimport cython
from libc.stdint cimport int64_t, uint64_t

from shmzmq.shm.board cimport Board
from shmzmq.shm.patience cimport Patience

# A word to watch while spinning: it has moved when it is at least `step` past `seen`.
cdef struct Watch:
    const uint64_t *word
    uint64_t seen
    uint64_t step

cdef enum:
    MAX_WATCHES = 8
    LOOK_AGAIN = 2  # slept for as long as one does without looking at everything


@cython.final
cdef class Spinner:
    cdef Patience patience
    cdef readonly uint64_t spins, sleeps, wakes
    cdef bint spin(self, Board board, Watch *watches, int count, int64_t deadline_ns) noexcept nogil
    cdef int sleep(self, Board board, int64_t deadline_ns) noexcept nogil

cdef int64_t deadline_after(int64_t timeout_ms) noexcept nogil
cdef bint has_moved(Watch *watches, int count) noexcept nogil
