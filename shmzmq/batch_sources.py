"""What send_many takes: bytes-like objects, the rows of an array, or one buffer with offsets.

A source tells where each message lies. Nothing is copied, and no object is made for a message that
is a row or lies between two offsets. Whoever gave it to send_many must not change it before that
returns.
"""

import cython
from cython.cimports.cpython.buffer import (
    PyBUF_FORMAT,
    PyBUF_SIMPLE,
    PyBUF_STRIDES,
    PyBuffer_Release,
    PyObject_CheckBuffer,
    PyObject_GetBuffer,
)
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE
from cython.cimports.libc.stdint import int32_t, int64_t, uint64_t
from cython.cimports.shmzmq.shm.lender import REFERENCE_FROM


@cython.cclass
class Source:
    """The `count` messages of one call, of which `sent` have been sent."""

    def fill(self, first, slices, most):
        """Fill *slices* with the messages from *first* on; return how many.

        Stops before one that has to be sent by itself, since it is large or no bytes object: 0 when
        that is the first.
        """
        raise NotImplementedError

    def slice_at(self, index):
        raise NotImplementedError

    def object_at(self, index):
        """Return the message as an object for send; None: it is the slice at *index*."""


@cython.cclass
class Objects(Source):
    """Bytes-like objects. Raises TypeError for any that is not, before anything is sent."""

    def __init__(self, items):
        self.items = tuple(items)
        self.count = len(self.items)
        for item in self.items:
            if type(item) is not bytes:
                _check_part(item, self.items)

    def fill(self, first, slices, most):
        count: uint64_t = 0
        most = min(most, self.count - first)
        while count < most:
            item = self.items[first + count]
            if type(item) is not bytes or PyBytes_GET_SIZE(item) >= REFERENCE_FROM:
                break
            slices[count].data = PyBytes_AS_STRING(item)
            slices[count].size = PyBytes_GET_SIZE(item)
            count += 1
        return count

    def object_at(self, index):
        return self.items[index]


def _check_part(item, items):
    """Raise TypeError unless *item* of *items* has a buffer."""
    if isinstance(item, str):
        wrong = f"is text, not bytes: {item!r:.80}"
    elif not PyObject_CheckBuffer(item):
        wrong = f"has no buffer: {item!r:.80}"
    else:
        view: Py_buffer
        try:
            PyObject_GetBuffer(item, cython.address(view), PyBUF_SIMPLE)
        except (BufferError, ValueError) as error:  # it has gaps, or is closed
            raise type(error)(f"message {_index(item, items)} of {len(items)}: {error}") from error
        PyBuffer_Release(cython.address(view))
        return 0
    raise TypeError(f"message {_index(item, items)} of {len(items)} {wrong}")


def _index(item, items):
    return next(number for number, other in enumerate(items) if other is item)


@cython.cclass
class Rows(Source):
    """The rows of a two-dimensional array. Raises ValueError when a row is not contiguous.

    TypeError for Python objects: what would be sent is where they lie.
    """

    def __cinit__(self, array):
        # Not by the buffer's format: numpy has none for dates.
        if getattr(getattr(array, "dtype", None), "hasobject", False):
            raise TypeError(f"an array of {array.dtype} holds Python objects, not messages")
        PyObject_GetBuffer(array, cython.address(self.view), PyBUF_STRIDES)
        if self.view.ndim != 2:
            raise ValueError(
                f"an array of {self.view.ndim} dimensions: send_many takes one of two, a message "
                "in each row, or a buffer with offsets"
            )
        if self.view.shape[1] > 1 and self.view.strides[1] != self.view.itemsize:
            raise ValueError(
                f"items {self.view.strides[1]} bytes apart in a row: with {self.view.itemsize} "
                "bytes each they must lie one behind the other"
            )
        self.count = self.view.shape[0]
        self.stride = self.view.strides[0]
        self.width = self.view.shape[1] * self.view.itemsize

    def __dealloc__(self):
        PyBuffer_Release(cython.address(self.view))

    def fill(self, first, slices, most):
        if self.width >= REFERENCE_FROM:
            return 0
        row = cython.cast(cython.p_char, self.slice_at(first).data)
        count: uint64_t = min(most, self.count - first)
        i: uint64_t
        for i in range(count):
            slices[i].data = row
            slices[i].size = self.width
            row += self.stride
        return count

    def slice_at(self, index):
        found: Slice
        found.data = cython.cast(cython.p_char, self.view.buf) + (
            cython.cast(cython.Py_ssize_t, index) * self.stride
        )
        found.size = self.width
        return found


@cython.cclass
class Packed(Source):
    """Messages in *buffer*: i lies from offsets[i] to offsets[i + 1].

    Raises ValueError for offsets that go back or out of the buffer, before anything is sent.
    """

    def __cinit__(self, buffer, offsets):
        PyObject_GetBuffer(buffer, cython.address(self.view), PyBUF_SIMPLE)
        if not PyObject_CheckBuffer(offsets):
            raise TypeError(
                f"offsets are an array of integers of 32 or 64 bits, not {type(offsets).__name__}: "
                "make one with numpy.asarray"
            )
        PyObject_GetBuffer(offsets, cython.address(self.ends), PyBUF_STRIDES | PyBUF_FORMAT)
        self.item = self.ends.itemsize
        kind: bytes = b"B" if self.ends.format == cython.NULL else self.ends.format
        if (
            self.ends.ndim != 1
            or self.item not in (4, 8)
            or kind.lstrip(b"@=<") not in (b"i", b"l", b"q", b"L", b"Q")
            or (self.ends.shape[0] > 1 and self.ends.strides[0] != self.ends.itemsize)
        ):
            raise ValueError(
                f"offsets of {self.ends.ndim} dimensions, format {kind.decode()!r}: they are a "
                "contiguous row of int32, int64 or uint64 in this machine's byte order"
            )
        if self.ends.shape[0] == 0:
            raise ValueError("no offsets: there is one more than there are messages")
        self.count = self.ends.shape[0] - 1
        self._check()

    def _check(self):
        if self.item == 8:
            ends = cython.cast(cython.pointer(int64_t), self.ends.buf)
            falls: cython.bint = ends[0] < 0 or ends[self.count] > self.view.len
            i: uint64_t
            for i in range(self.count):
                falls |= ends[i + 1] < ends[i]
            if not falls:
                return 0
        before: int64_t = 0
        for i in range(self.count + 1):
            end: int64_t = self.offset(i)
            if end < before or end > self.view.len:
                raise ValueError(
                    f"offset {i} is {end}: it must not be below {before}, nor above "
                    f"{self.view.len}, the size of the buffer"
                )
            before = end
        return 0

    def offset(self, index):
        if self.item == 4:
            return cython.cast(cython.pointer(int32_t), self.ends.buf)[index]
        return cython.cast(cython.pointer(int64_t), self.ends.buf)[index]

    def __dealloc__(self):
        PyBuffer_Release(cython.address(self.view))
        PyBuffer_Release(cython.address(self.ends))

    def fill(self, first, slices, most):
        most = min(most, self.count - first)
        base = cython.cast(cython.p_char, self.view.buf)
        limit: int64_t = self.view.len
        start: int64_t = self.offset(first)
        wide = cython.cast(cython.pointer(int64_t), self.ends.buf) + first + 1
        narrow = cython.cast(cython.pointer(int32_t), self.ends.buf) + first + 1
        is_wide: cython.bint = self.item == 8
        count: uint64_t = 0
        while count < most:
            end: int64_t = wide[count] if is_wide else narrow[count]
            # What was changed since it was checked is found out by slice_at.
            if cython.cast(uint64_t, end - start) >= REFERENCE_FROM or start < 0 or end > limit:
                break
            slices[count].data = base + start
            slices[count].size = end - start
            start = end
            count += 1
        return count

    def slice_at(self, index):
        found: Slice
        start: int64_t = self.offset(index)
        end: int64_t = self.offset(index + 1)
        if start < 0 or end < start or end > self.view.len:
            raise ValueError(f"offsets {index} and {index + 1} became {start} and {end} meanwhile")
        found.data = cython.cast(cython.p_char, self.view.buf) + start
        found.size = end - start
        return found


@cython.cclass
class Messages(Source):
    """Messages of several parts each. Raises TypeError or ValueError for what is none."""

    def __init__(self, messages):
        whole: list = []
        for message in messages:
            if isinstance(message, (str, bytes, bytearray, memoryview)):
                raise TypeError(
                    f"message {len(whole)} is one {type(message).__name__}, not a sequence of parts"
                )
            parts = Objects(message)
            if parts.count == 0:
                raise ValueError(f"message {len(whole)} has no parts")
            whole.append(parts.items)
        self.items = whole
        self.count = len(whole)
        self.multipart = True

    def fill(self, first, slices, most):
        return 0

    def object_at(self, index):
        return self.items[index]


def source_of(messages, offsets=None, multipart: cython.bint = False):
    """Return the Source for what send_many was given. Raises TypeError, ValueError."""
    if multipart:
        if offsets is not None:
            raise ValueError("offsets are for messages of one part each, not for multipart=True")
        return Messages(messages)
    if offsets is not None:
        return Packed(messages, offsets)
    if type(messages) is list or type(messages) is tuple:
        return Objects(messages)
    if isinstance(messages, (str, bytes, bytearray)):
        raise TypeError(
            f"send_many takes many messages, not one {type(messages).__name__}: send it with send, "
            "or say with offsets where the messages in it lie"
        )
    if PyObject_CheckBuffer(messages):
        return Rows(messages)
    return Objects(messages)
