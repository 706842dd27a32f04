# The structures of shmzmq/shm/layout.py as the compiled code sees them; the pictures stand there.
# tests/unit/shm/test_layout.py holds every offset here against the table there.

from libc.stdint cimport uint64_t

cdef extern from * nogil:
    """
    #include <stdint.h>
    typedef struct {
        uint64_t magic, version, kind, size;
        uint64_t owner_pid, owner_start, reader_pid, reader_start;
        uint64_t token[2];
        uint64_t reserved[6];
    } shmzmq_segment;
    typedef struct {
        uint64_t tail, written, bytes_written, pad0[13];
        uint64_t head, read, bytes_read, pad1[13];
        uint64_t attentive, waiting, attached, offset, capacity, left, pad2[10];
    } shmzmq_ring;
    typedef struct {
        shmzmq_segment segment;
        shmzmq_ring ring[2];
        uint64_t pad0[16];
        uint64_t returned[2][128];
    } shmzmq_pipe;
    typedef struct {
        shmzmq_segment segment;
        uint64_t retired;
    } shmzmq_pool;
    typedef struct {
        shmzmq_segment segment;
        uint64_t middle;
    } shmzmq_box;
    typedef struct {
        uint64_t serial, offset, size, loan;
    } shmzmq_descriptor;
    typedef struct {
        shmzmq_segment segment;
        uint64_t asleep, pad0[15];
        uint64_t news, control, pad1[14];
        uint64_t allocated[256];
        uint64_t ready[256];
        uint64_t room[256];
    } shmzmq_board;
    """
    ctypedef struct SegmentHeader "shmzmq_segment":
        uint64_t magic, version, kind, size
        uint64_t owner_pid, owner_start, reader_pid, reader_start
    ctypedef struct RingControl "shmzmq_ring":
        uint64_t tail, written, bytes_written
        uint64_t head, read, bytes_read
        uint64_t attentive, waiting, attached, offset, capacity, left
    ctypedef struct PipeHeader "shmzmq_pipe":
        SegmentHeader segment
        RingControl ring[2]
        uint64_t returned[2][128]
    ctypedef struct PoolHeader "shmzmq_pool":
        SegmentHeader segment
        uint64_t retired
    ctypedef struct BoxHeader "shmzmq_box":
        SegmentHeader segment
        uint64_t middle
    ctypedef struct BlockDescriptor "shmzmq_descriptor":
        uint64_t serial, offset, size, loan
    ctypedef struct BoardHeader "shmzmq_board":
        SegmentHeader segment
        uint64_t asleep
        uint64_t news, control
        uint64_t allocated[256]
        uint64_t ready[256]
        uint64_t room[256]

cdef enum:
    BOARD_WORDS = 256
    RECORDS_START = 4096
    DESCRIPTOR_SIZE = 32
    RETURNED_WORDS = 128
    LOANS = 8192            # bits in `returned`: what a pipe can be lent at a time
    RECORD_MORE = 1
    RECORD_COMMAND = 2
    RECORD_BLOCK = 4
    RECORD_PAD = 8
    RECORD_CHAIN = 16
    RECORD_BOX = 32
