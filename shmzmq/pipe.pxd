cimport cython
from libc.stdint cimport int64_t, uint64_t

from shmzmq.lending cimport Lending
from shmzmq.shm.batch cimport Batch, Slice
from shmzmq.shm.board cimport Board
from shmzmq.shm.lender cimport Lender
from shmzmq.shm.ring cimport Consumer, Producer
from shmzmq.shm.waiting cimport Watch


@cython.final
cdef class Pipe:
    cdef readonly Producer outbound
    cdef readonly Consumer inbound
    cdef readonly object segment
    cdef readonly Board own           # the board of the socket that holds this end
    cdef readonly Board peer          # the far end's board; None until there is a far end
    cdef readonly int bit, peer_bit   # this pipe's bit on each of them
    cdef readonly int side            # 0: this end made the connection, 1: it accepted it
    cdef public bytes routing_id      # the far end's; empty until known
    cdef public object metadata       # what the far end said of itself, by name
    cdef public object link           # whoever keeps the connection behind this pipe
    cdef public bint lost             # the far end is gone; what it published is still read
    cdef public bint relayed          # the far end is a worker, which carries it to somebody else
    cdef public bint dismissed        # the user ended this connection; what was sent is still written
    cdef readonly bint conflating     # of what has come, only the last is for the user (CONFLATE)
    cdef bint merging                 # of what is written, only the last stays
    cdef object merger                # what sees to that; None until it is wanted
    cdef public bint unwanted         # our pattern wants the connection ended, not the far end
    cdef public bint returns          # who made the connection makes it anew when it has ended
    cdef readonly list greetings      # messages that every connection begins with
    cdef uint64_t max_part_size       # MAXMSGSIZE
    cdef bint said_goodbye            # the far end closed in good order
    cdef bint more                    # the part read last has another behind it
    cdef bint sending                 # parts are written and not yet published
    cdef list carried                 # what a lost far end said, until a fresh segment takes it
    cdef int fair_index, load_index   # where the pipe stands in its FairQueue and LoadBalancer
    cdef int idle_looks               # how often it was found empty in a row
    cdef uint64_t wanted_bytes        # what found no memory when the pipe was parked; 0: the mark was reached
    cdef uint64_t unreported, unreported_bytes, report_messages
    cdef uint64_t *counters           # directory slot: messages and bytes, in and out
    cdef object slot
    cdef Lender lender                # the socket's; None: everything goes through the ring
    cdef Lending lending              # what of it the far end has been lent
    cdef object far_process           # ProcessId of the far end; None until somebody said it

    cdef bint has_left(self) noexcept
    cdef bint can_write(self) noexcept
    cdef int write(self, const char *data, uint64_t size, bint more) except -2
    cdef uint64_t stage(self, const Slice *slices, uint64_t count) noexcept
    cdef void flush(self) noexcept
    cdef int rollback(self) except -1
    cdef int _start_lending(self) except -1
    cdef int _take_inbound(self, object segment) except -1
    cdef bint park(self, uint64_t size) noexcept
    cdef void unpark(self) noexcept
    cdef object read(self)
    cdef object read_last(self, object data)
    cdef int refuse_oversized(self) except -2
    cdef int64_t take(self, Batch batch, uint64_t most) except -1
    cdef int64_t take_plain(self, Batch batch, uint64_t most) except -1
    cdef object _part(self)
    cdef list read_message(self)
    cdef int skip(self) except -2
    cdef int look(self) except -2
    cdef void done_reading(self) noexcept
    cdef void report_room(self) noexcept
    cdef void attend(self) noexcept
    cdef bint rest(self) noexcept
    cdef bint is_ended(self) noexcept
    cdef void watch_inbound(self, Watch *watch) noexcept
    cdef void watch_outbound(self, Watch *watch) noexcept
    cdef bytes payload(self)
    cdef int begin_anew(self, object segment) except -1
    cdef int read_anew(self) except -1
