cimport cython
from libc.stdint cimport uint64_t

from shmzmq.shm.box cimport BoxDesk
from shmzmq.shm.layout cimport BlockDescriptor


@cython.final
cdef class Parts:
    cdef const char *address           # of the payload found last
    cdef uint64_t size
    cdef uint64_t parcel               # its number; none for a value
    cdef object reason                 # why nothing was found
    cdef bint follows                  # descriptors are looked for
    cdef object desk                   # finds pools; None: there are none
    cdef dict parcels                  # payloads on their way by reference, within a process
    cdef BoxDesk boxes
    cdef object memory                 # keeps `returned` mapped
    cdef uint64_t *returned            # bitmap of the loans given back; the Consumer sets the pointer
    cdef list kept                     # those of the message that is not read to its end
    cdef list ahead                    # (head behind it, part) of those read ahead and not released

    cdef object find(self, const char *record, uint64_t size, int flags, uint64_t position)
    cdef object _find_parcel(self, uint64_t number)
    cdef object _find_block(self, BlockDescriptor *block)
    cdef object _find_value(self, const char *record, uint64_t size, uint64_t position)
    cdef void keep(self, object part)
    cdef void let_go(self)
    cdef void keep_ahead(self, object part, uint64_t end)
    cdef void let_go_to(self, uint64_t head)
    cdef void abandon(self, object part)
    cdef void leave_block(self, const char *record, uint64_t size)
    cdef bint leave_box(self, const char *record, uint64_t size) except -1
