cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint64_t

from shmzmq.shm.copying cimport copy_short

# A message that is to be sent: bytes somewhere in memory.
cdef struct Slice:
    const char *data
    uint64_t size


# Memory of its own, as a buffer that can be written to.
@cython.final
@cython.no_gc
cdef class Memory:
    cdef char *address
    cdef uint64_t capacity             # bytes there are
    cdef readonly uint64_t nbytes      # bytes that the buffer shows

    cdef int grow(self, uint64_t capacity) except -1


# Messages that are being received.
@cython.final
cdef class Batch:
    cdef readonly list items           # the messages as objects; None when they are packed
    cdef bint plain                    # as bytes
    cdef bint multipart                # as lists of parts, whatever they have
    cdef bint several                  # the next message has several parts, and was left where it is
    cdef readonly uint64_t count
    cdef Memory data, offsets          # the messages packed: message i lies from offsets[i] to offsets[i + 1]
    cdef uint64_t places               # messages that `offsets` has memory for

    cdef int reserve(self, uint64_t size) except -1
    cdef int add_packed(self, const char *data, uint64_t size) except -1
    cdef int add_object(self, object part) except -1
    cdef int add_parts(self, list parts) except -1


cdef inline int add(Batch batch, const char *data, uint64_t size) except -1:
    if batch.plain:
        batch.items.append(PyBytes_FromStringAndSize(data, size))
        batch.count += 1
        return 0
    cdef Memory memory
    cdef uint64_t used
    if batch.items is None:
        memory = batch.data
        used = memory.nbytes
        if size > memory.capacity - used or batch.count >= batch.places:
            return batch.add_packed(data, size)
        copy_short(memory.address + used, data, size)
        memory.nbytes = used + size
        batch.count += 1
        (<int64_t *> batch.offsets.address)[batch.count] = used + size
        return 0
    return batch.add_object(PyBytes_FromStringAndSize(data, size))
