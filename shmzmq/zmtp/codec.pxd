cimport cython
from libc.stdint cimport int64_t, uint64_t

cdef enum:
    FRAME_MORE = 0x01
    FRAME_LONG = 0x02
    FRAME_COMMAND = 0x04

    FRAMING_RAW = 0
    FRAMING_V1 = 1
    FRAMING_V2 = 2

    FRAME_HEAD = 1    # a whole header is there
    FRAME_SHORT = 0   # more octets are needed to tell
    FRAME_BAD = -1    # no such frame is allowed

    HEADER_MOST = 10


@cython.final
cdef class FrameCodec:
    cdef int framing
    cdef int64_t message_limit, command_limit
    cdef int flags          # of the frame that parse looked at: MORE, COMMAND
    cdef int start          # where its body begins
    cdef uint64_t size      # of its body

    cdef int parse(self, const unsigned char *octets, uint64_t available) noexcept
    cdef int parse_v1(self, const unsigned char *octets, uint64_t available) noexcept
    cdef int check_size(self) noexcept
    cdef int put_header(self, unsigned char *out, uint64_t size, int flags) noexcept
