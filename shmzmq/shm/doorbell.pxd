cimport cython

@cython.final
cdef class Doorbell:
    cdef readonly int fd      # an eventfd that this object owns
    cdef void ring(self) noexcept nogil
    cdef void drain(self) noexcept nogil
