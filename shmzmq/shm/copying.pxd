from libc.stdint cimport uint64_t
from libc.string cimport memcpy


# Copy *size* bytes between places that do not overlap. Most messages are short, and a call of
# memcpy, which has to find out how to go about it, takes as long as copying a cache line. With a
# constant size the compiler writes it out as a load and a store.
cdef inline void copy_short(char *to, const char *source, uint64_t size) noexcept nogil:
    cdef uint64_t done = 0
    if size > 256:
        memcpy(to, source, size)
    elif size >= 16:
        while done + 16 <= size:
            memcpy(to + done, source + done, 16)
            done += 16
        if done != size:
            memcpy(to + size - 16, source + size - 16, 16)
    elif size >= 8:
        memcpy(to, source, 8)
        memcpy(to + size - 8, source + size - 8, 8)
    elif size >= 4:
        memcpy(to, source, 4)
        memcpy(to + size - 4, source + size - 4, 4)
    else:
        while done < size:
            to[done] = source[done]
            done += 1
