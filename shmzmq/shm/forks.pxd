cdef int generation    # 0 in a process that was not forked by another of us; written here only
