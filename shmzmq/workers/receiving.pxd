cimport cython
from libc.stdint cimport uint64_t

from shmzmq.pipe cimport Pipe
from shmzmq.shm.blocks cimport Block
from shmzmq.workers.relay cimport BATCH
from shmzmq.zmtp.codec cimport FrameCodec

@cython.final
cdef class Buffer:
    cdef char octets[BATCH]


@cython.final
cdef class Receiving:
    cdef Pipe pipe
    cdef FrameCodec codec
    cdef int fd
    cdef bint subscriptions      # the peer's SUBSCRIBE and CANCEL become messages for the socket
    cdef readonly bytes command  # what receive found: the body of a command frame
    cdef readonly uint64_t count # octets received so far
    cdef Buffer buffer           # None while nothing is in it
    cdef uint64_t begin, end     # of what is in the buffer and not yet looked at
    cdef uint64_t most           # octets for one system call
    cdef int low_mark            # SO_RCVLOWAT: octets of which the reactor hears
    cdef uint64_t asked          # octets that the last read had room for
    cdef char *rest              # where the rest of a body goes
    cdef uint64_t missing        # octets of it
    cdef bint more               # of that frame
    cdef Block block             # that part is received into it; None: into its record, or into half
    cdef bytes half              # the body whose rest is missing, where it has no record yet (R3)
    cdef uint64_t size           # of the part in the block
    cdef bint half_command       # it is a command
    cdef bytes whole             # a large part that is complete and has found no room yet
    cdef bint unlent             # it could not be lent, and has to go through the ring
    cdef bytes pending           # a whole command that has not been acted upon

    cdef int await_octets(self) except -1
    cdef int place(self) except -1
    cdef int take_frame(self, const char *octets, uint64_t available) except -1
    cdef int take_part(self, const char *body, uint64_t available) except -1
    cdef bint take_block(self, uint64_t size) except -1
    cdef int pass_block_on(self) except -1
    cdef int end_part(self) except -1
    cdef int begin_half(self, uint64_t size, bint command) except -1
    cdef int put_whole(self) except -1
    cdef int act(self) except -1
    cdef int await_memory(self, int rc, uint64_t size) except -1
    cdef ssize_t fetch(self) except -2
