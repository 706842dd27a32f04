from libc.stdint cimport int64_t, uint64_t

from shmzmq.batch_sources cimport Source
from shmzmq.shm.batch cimport Batch, Slice
from shmzmq.socket_base cimport SocketBase


cdef enum:
    RUN = 256                          # messages that are sent before their readers hear of them


cdef class Batches(SocketBase):
    cdef object failure                # raised by the next call for a batch: messages came before it

    cdef object _send_rest(self, Source source, int flags)
    cdef int _send_source(self, Source source, int flags) except -1
    cdef uint64_t _send_single(self, Source source, int flags) except? 0
    cdef int _send_parts(self, tuple parts, int flags) except -1
    cdef int _after_sending(self, uint64_t count) except -1
    cdef bint _await_room(self, bint sent, int flags, int64_t *deadline) except -1
    cdef int _receive_batch(self, Batch batch, int64_t most, object timeout, int flags) except -1
    cdef int _fill(self, Batch batch, uint64_t most, int64_t timeout_ms) except -1
    cdef bint _take(self, Batch batch, uint64_t most) except -1
    cdef int _look_at_news(self) except -1


cdef int64_t _checked_most(int64_t most) except -1
cdef object _import_numpy()
