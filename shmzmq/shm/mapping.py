"""Mapped memory without a descriptor.

The standard mmap keeps a duplicate of the file's descriptor as long as the mapping (until Python
3.13 offers otherwise); with thousands of segments mapped a process would run out of them.
"""

import os

import cython
from cython.cimports.cpython.buffer import PyBuffer_FillInfo
from cython.cimports.libc.errno import errno
from cython.cimports.posix.mman import (
    MAP_ANONYMOUS,
    MAP_FAILED,
    MAP_SHARED,
    PROT_READ,
    PROT_WRITE,
    mmap,
    munmap,
)


@cython.cclass
class Mapping:
    """*size* bytes of the file at descriptor *fd*, or of fresh memory when *fd* is -1.

    A buffer, writable unless *writable* is false: the memory cannot be stored to then.

    The memory is mapped as long as this object or a buffer of it lives. It holds no Python object,
    so the cycle collector never takes it apart while somebody still has its address. Raises
    OSError.
    """

    address: cython.p_void
    size: cython.Py_ssize_t
    writable: cython.bint

    def __cinit__(self, fd: cython.int, size: cython.Py_ssize_t, writable: cython.bint = True):
        flags: cython.int = MAP_SHARED if fd >= 0 else MAP_SHARED | MAP_ANONYMOUS
        protection: cython.int = PROT_READ | PROT_WRITE if writable else PROT_READ
        self.address = mmap(cython.NULL, size, protection, flags, fd, 0)
        if self.address == MAP_FAILED:
            self.address = cython.NULL
            raise OSError(errno, os.strerror(errno))
        self.size = size
        self.writable = writable

    def __dealloc__(self):
        if self.address != cython.NULL:
            munmap(self.address, self.size)

    def __getbuffer__(self, buffer: cython.pointer(Py_buffer), flags: cython.int):
        PyBuffer_FillInfo(buffer, self, self.address, self.size, not self.writable, flags)

    def __len__(self):
        return self.size

    @property
    def start(self):
        """The address as a number, for compiled code that keeps the mapping itself."""
        return cython.cast(cython.size_t, self.address)

    def __getitem__(self, where: slice) -> bytes:
        """Return a copy of the bytes in a slice."""
        return bytes(memoryview(self)[where])

    def __setitem__(self, where: slice, octets):
        """Store *octets*, as many as the slice has."""
        memoryview(self)[where] = octets
