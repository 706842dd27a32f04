from libc.stdint cimport int64_t, uint64_t

from shmzmq.shm.lender cimport Loan
from shmzmq.socket_core cimport SocketCore


cdef class SocketBase(SocketCore):
    cdef public int64_t copy_threshold  # bytes below which a tracked part counts as done at once

    cdef int _write(self, const char *data, uint64_t size, int flags) except -1
    cdef object _receive(self, int flags)
    cdef int write(self, const char *data, uint64_t size, int flags) except -1
    cdef int wait_to_send(self, const char *data, uint64_t size, int flags) except -1
    cdef object wait_to_receive(self, int flags)
    cdef int write_large(self, const char *data, uint64_t size, int flags, object payload) except -1
    cdef int _send_buffer(self, object data, int flags) except -1
    cdef int _send_loan(self, Loan loan, int flags) except -1
