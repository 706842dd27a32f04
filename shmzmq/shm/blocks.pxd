cimport cython
from libc.stdint cimport int64_t, uint64_t


# A segment of blocks, as its owner sees it.
@cython.final
cdef class Slab:
    cdef readonly object segment
    cdef readonly uint64_t serial      # in the segment's name: how a descriptor calls it
    cdef char *base
    cdef uint64_t capacity             # of each block
    cdef int blocks, in_use
    cdef Py_buffer view


@cython.final
cdef class Block:
    cdef readonly Slab slab
    cdef readonly uint64_t offset      # in the slab's segment
    cdef char *address
    cdef int uses                      # loans, and messages on their way; 0: free


@cython.final
cdef class Pool:
    cdef public uint64_t limit         # bytes of shared memory; 0: no blocks
    cdef readonly uint64_t reserved
    cdef dict free                     # capacity -> blocks, the one used last at the end
    cdef list slabs
    cdef list ledgers                  # those of pipes that have been lent something
    cdef int next                      # the ledger to look at next
    cdef bint waited_in_vain
    cdef bint closed

    cdef Block allocate(self, uint64_t size, bint may_grow)
    cdef Block _take(self, uint64_t size)
    cdef Block _grow(self, uint64_t capacity)
    cdef Slab _make(self, uint64_t capacity, uint64_t count)
    cdef bint give_back(self) except -1
    cdef int _retire(self, Slab slab) except -1
    cdef bint _shed(self, uint64_t wanted) except -1
    cdef void use(self, Block block) noexcept
    cdef int release(self, Block block) except -1
    cdef uint64_t reserved_for(self, uint64_t size) except? 0
    cdef int collect(self) except -1
    cdef bint await_return(self, uint64_t size) except -1
    cdef bint await_any_return(self, int64_t deadline) except -1
    cdef bint has_returned(self) except -1
    cdef void enlist(self, object ledger)
