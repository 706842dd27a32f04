from libc.stdint cimport uint64_t

# What a write or a look at the ring came to.
cdef enum:
    RING_OK = 1        # written; there is a record
    RING_EMPTY = 0     # nothing to read
    RING_NO_MEMORY = 3 # the ring cannot grow (ENOSPC and the like): as good as full
    RING_HELD = 4      # records lie in another area: release those in this one first
    RING_BROKEN = -1   # the peer wrote nonsense; the pipe ends

cdef enum:
    MAX_NAME = 88      # bytes in a record that names an area or a box
    # A pad up to the end of the area and the chain record behind it.
    CHAIN_RESERVE = 192  # 2 * (8 + 88)


# How many bytes of the ring a record of *size* bytes takes.
cdef inline uint64_t spanned(uint64_t size) noexcept nogil:
    return 8 + ((size + 7) & ~(<uint64_t> 7))


cdef int check_area(object segment, uint64_t offset, uint64_t capacity) except -1
