cdef class Frame:
    cdef object data           # bytes, or whatever buffer the user gave
    cdef public bint more
    cdef readonly object tracker
    cdef object lent           # an Event that is set when a tracked frame is gone
    cdef bytes octets          # what `bytes` returned; None until asked for
    cdef object memory         # what `buffer` returned; likewise
    cdef bint own              # received: nobody else has the data
    cdef object properties     # what is known of the sender, by name; None until asked for
    cdef Py_buffer view
    cdef int views


cdef Frame received(object data, bint more, object properties)
