cdef class Frame:
    cdef object data           # bytes, or whatever buffer the user gave
    cdef public bint more
    cdef readonly object tracker
    cdef object properties     # what is known of the sender, by name; None until asked for
    cdef Py_buffer view
    cdef int views
