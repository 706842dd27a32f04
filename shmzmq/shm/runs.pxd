from libc.stdint cimport uint64_t

from shmzmq.shm.atomics cimport load_relaxed
from shmzmq.shm.batch cimport Batch
from shmzmq.shm.records cimport spanned

# Records that lie one behind the other in one area, and how far they have been taken.
cdef struct Run:
    const char *data                   # the area
    uint64_t base, mask                # the position at its start; its size - 1
    uint64_t position, tail            # of the next record; where ends what was published
    uint64_t largest                   # bytes that a payload may have
    uint64_t count, total              # messages taken, and their bytes


# Return the payload of the record at hand and go past it. NULL where that is no whole message of one
# part that lies there: a command, a payload in a block, a pad, the first of several parts, nonsense.
cdef inline const char *next_payload(Run *run, uint64_t *size) noexcept nogil:
    cdef uint64_t place = (run.position - run.base) & run.mask
    # Read once: the peer could change it between a check and a use.
    cdef uint64_t head = load_relaxed(<const uint64_t *> (run.data + place))
    size[0] = head >> 8
    if (
        head & 255
        or size[0] > run.largest
        or size[0] > run.mask + 1 - place - 8
        or spanned(size[0]) > run.tail - run.position
    ):
        return NULL
    run.position += spanned(size[0])
    run.total += size[0]
    run.count += 1
    return run.data + place + 8


cdef int take_run(Run *run, Batch batch, uint64_t most) except -1
cdef int pack_run(Run *run, Batch batch, uint64_t most) except -1
