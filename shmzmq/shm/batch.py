"""A batch of received messages: a list of them, or all packed into one piece of memory."""

import cython
from cython.cimports.cpython.buffer import (
    PyBUF_SIMPLE,
    PyBuffer_FillInfo,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.stdlib import free, realloc
from cython.cimports.shmzmq.shm.batch import add
from cython.cimports.shmzmq.shm.lease import as_bytes

_FIRST_BYTES = cython.declare(uint64_t, 16 * 1024)
_FIRST_OFFSETS = cython.declare(uint64_t, 4096)


@cython.cclass
class Memory:
    """Bytes that can be written to; they go with the last view of them."""

    def __getbuffer__(self, buffer: cython.pointer(Py_buffer), flags: cython.int):
        PyBuffer_FillInfo(buffer, self, self.address, self.nbytes, 0, flags)

    def __len__(self):
        return self.nbytes

    def __dealloc__(self):
        free(self.address)

    def grow(self, capacity):
        address = realloc(self.address, capacity)
        if address == cython.NULL:
            raise MemoryError(f"no memory for a batch of {capacity} bytes")
        self.address = cython.cast(cython.p_char, address)
        self.capacity = capacity
        return 0


@cython.cclass
class Batch:
    """Up to *most* messages: as a list, or *packed*; each a list of parts if *multipart*."""

    def __init__(
        self, most: uint64_t, *, packed: cython.bint = False, multipart: cython.bint = False
    ):
        self.multipart = multipart
        self.plain = not packed and not multipart
        if not packed:
            self.items = []
            return
        self.data = Memory()
        self.data.grow(_FIRST_BYTES)
        self.offsets = Memory()
        self.offsets.grow(8 * (min(most, _FIRST_OFFSETS) + 1))
        self.places = self.offsets.capacity // 8 - 1
        cython.cast(cython.pointer(int64_t), self.offsets.address)[0] = 0

    def reserve(self, size):
        """Have memory for a packed message of *size* bytes, and more of it each time."""
        used: uint64_t = self.data.nbytes
        if size > self.data.capacity - used:
            self.data.grow(max(2 * self.data.capacity, used + size))
        if self.count >= self.places:
            self.offsets.grow(2 * self.offsets.capacity)
            self.places = self.offsets.capacity // 8 - 1
        return 0

    def add_packed(self, data, size):
        """Put a message behind those that are packed already, in more memory."""
        self.reserve(size)
        return add(self, data, size)

    def add_object(self, part):
        """Take a message of one part: bytes, or a Lease of them."""
        if self.items is not None:
            data: object = as_bytes(part)
            self.items.append([data] if self.multipart else data)
            self.count += 1
            return 0
        view: Py_buffer
        PyObject_GetBuffer(part, cython.address(view), PyBUF_SIMPLE)
        try:
            return self.add_packed(cython.cast(cython.p_char, view.buf), view.len)
        finally:
            PyBuffer_Release(cython.address(view))

    def add_parts(self, parts):
        """Take a message of several parts, or of one as a list."""
        self.items.append(parts)
        self.count += 1
        return 0

    def packed(self):
        """Return (data, offsets) of what was packed: bytes, and count + 1 int64 where they end."""
        self.offsets.nbytes = (self.count + 1) * 8
        return self.data, self.offsets
