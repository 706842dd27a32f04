cimport cython
from libc.stdint cimport uint64_t


@cython.final
cdef class Node:
    cdef bytes label           # what this node adds to the prefix of the one above
    cdef bytes firsts          # the first bytes of the children's labels, in the same order
    cdef list children         # None: there are none, and never were
    cdef dict who              # subscriber -> None, in the order of subscribing; None: nobody
    cdef list listing          # the same as a list; None until it is asked for

    cdef int find(self, unsigned char first) noexcept
    cdef int adopt(self, Node child) except -1
    cdef int disown(self, int place) except -1
    cdef Node split(self, int place, Py_ssize_t length)
    cdef int absorb_only_child(self) except -1
    cdef list everybody(self)


@cython.final
cdef class TopicTable:
    cdef Node root
    cdef dict held             # subscriber -> {prefix: None}
    cdef list nobody           # always empty: what matching returns where nobody wants the topic
    cdef Py_ssize_t count      # prefixes
    cdef readonly uint64_t steps

    cdef Node _make_room(self, bytes prefix)
    cdef int _prune(self, Node node, list above) except -1
    cdef bint wants_all(self) noexcept
    cdef list match_buffer(self, const char *topic, uint64_t size)
    cdef bint wants_buffer(self, const char *topic, uint64_t size) except -1
    cdef Node _below(self, Node node, const char **topic, uint64_t *size)
