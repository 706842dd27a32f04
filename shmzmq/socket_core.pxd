from libc.stdint cimport int64_t, uint64_t

from shmzmq.patterns.pattern cimport Pattern
from shmzmq.pipe cimport Pipe
from shmzmq.shm.board cimport Board
from shmzmq.shm.lender cimport Lender
from shmzmq.shm.waiting cimport Spinner


cdef class SocketCore:
    cdef readonly Board board
    cdef readonly Pattern pattern
    cdef readonly Spinner spinner
    cdef Lender lender         # what large payloads go as
    cdef list pipes_by_bit     # Pipe or None, by its bit on the board
    cdef int spinning          # threads that watch pipes without the GIL
    cdef list kept             # pipes dropped meanwhile
    cdef int words             # words of the board's bitmaps that are in use
    cdef bint gone             # closed, or its context has ended, or this is a forked child
    cdef int entered           # calls that are under way
    cdef bint borrowed         # the attendant acts upon events, see borrow()
    cdef object borrower       # its thread
    cdef public bint exposed   # somebody outside waits on the doorbell (FD): announce sleep for them
    cdef public int send_timeout_ms, receive_timeout_ms
    cdef int generation
    cdef uint64_t *counters    # directory slot, see layout.COUNTERS
    cdef object slot
    cdef object __weakref__

    cdef int check(self) except -1
    cdef int _poll(self, int wanted, int64_t timeout_ms) except -1
    cdef int _arm(self, int wanted) except -1
    cdef int process_news(self) except -1
    cdef int wait(self, bint for_in, bint for_out, int64_t deadline_ns) except -1
    cdef int look(self) except -1
    cdef Pipe pipe_of(self, int word, uint64_t bits)
    cdef int look_at_all(self) except -1
    cdef int _take_away_ended(self) except -1
    cdef int _refuse(self) except -1
    cdef int _await_return(self) except -1
