"""Frames: a message part as an object, with its `more` flag and what is known of its sender."""

import time
from threading import Event

import cython
from cython.cimports.cpython.buffer import PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cython.cimports.cpython.bytes import PyBytes_GET_SIZE

from .errors import NotDone


class MessageTracker:
    """Tells when what it was made from is done with: tracked Frames, other trackers, Events.

    ``send(data, copy=False, track=True)`` returns one that is done when all receivers have the
    message: other sockets have read it, or a worker has written it to the network. The buffer that
    was sent may be used again before, as soon as send returns.
    """

    def __init__(self, *towatch):
        self.peers = set()
        for item in towatch:
            tracker = item.tracker if isinstance(item, Frame) else item
            if tracker is None:
                raise ValueError("not a tracked message")
            if not isinstance(tracker, MessageTracker) and not hasattr(tracker, "is_set"):
                raise TypeError(f"cannot track {item!r}: expected Frame, MessageTracker or Event")
            self.peers.add(tracker)

    @property
    def done(self):
        """Whether every buffer may be used again."""
        return all(
            peer.done if isinstance(peer, MessageTracker) else peer.is_set() for peer in self.peers
        )

    def wait(self, timeout=-1):
        """Block until done, at most *timeout* seconds (-1 or None: for ever).

        Raises NotDone when the time is up.
        """
        limit = 3600 * 24 * 7 if timeout is None or timeout < 0 else timeout
        deadline = time.monotonic() + limit
        for peer in self.peers:
            left = max(deadline - time.monotonic(), 0)
            if isinstance(peer, MessageTracker):
                peer.wait(timeout=left)
            elif not peer.wait(timeout=left):
                raise NotDone


FINISHED = MessageTracker()


# Bytes below which a view of a received part is a copy of its own.
_SMALL = cython.declare(cython.Py_ssize_t, 8 * 1024)

# COPY_THRESHOLD of the package.
_COPY_BELOW = 65536

# How much of a frame its representation shows, and in which units it tells the size of the rest.
_SHOWN = 12
_UNITS = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"), (1, "B"))


@cython.cclass
class Frame:
    """One part of a message.

    *data* is any object with a contiguous buffer, or None for an empty frame. It is copied when
    *copy* says so; without a word (None) when it has less than *copy_threshold* bytes (None:
    COPY_THRESHOLD). With *track*, `tracker` is a MessageTracker, done when *data* is not in use any
    more: at once if it was copied, or else when the frame is gone. Raises TypeError for text, which
    is to be encoded first, and for what has no buffer; BufferError for a buffer that is not
    contiguous.
    """

    def __init__(self, data=None, track=False, copy=None, copy_threshold=None):
        if isinstance(data, str):
            raise TypeError(f"a Frame holds bytes, not text: encode {data!r} first")
        self.data = b"" if data is None else data
        if not isinstance(self.data, bytes):
            view: Py_buffer  # what is wrong with it is to be told here, not at the first send
            PyObject_GetBuffer(self.data, cython.address(view), PyBUF_SIMPLE)
            PyBuffer_Release(cython.address(view))
        if copy is False and not track:
            return
        if copy is None:
            copy = self.nbytes < (_COPY_BELOW if copy_threshold is None else copy_threshold)
        if copy and not isinstance(self.data, bytes):
            self.data = bytes(self.data)
        if track and copy:
            self.tracker = FINISHED
        elif track:
            self.lent = Event()
            self.tracker = MessageTracker(self.lent)

    def __del__(self):
        if self.lent is not None:
            self.lent.set()

    def __getbuffer__(self, buffer: cython.pointer(Py_buffer), flags: cython.int):
        # A view of a small part that was received may be written to, as pyzmq's may. A large one
        # may be shared and is not copied for that. Sending a frame on asks for a plain buffer.
        if (
            self.own
            and flags != PyBUF_SIMPLE
            and isinstance(self.data, bytes)
            and PyBytes_GET_SIZE(self.data) < _SMALL
        ):
            self.data = bytearray(self.data)
        PyObject_GetBuffer(self.data, buffer, flags)

    def __len__(self):
        return self.nbytes

    def __copy__(self):
        frame = Frame(self.data, self.tracker is not None, False)
        frame.more = self.more
        return frame

    def __eq__(self, other):
        if not isinstance(other, (Frame, bytes, bytearray, memoryview)):
            return NotImplemented
        return self.bytes == bytes(other)

    def __hash__(self):
        return hash(self.bytes)

    def __bytes__(self):
        return self.bytes

    def __repr__(self):
        size = self.nbytes
        if size <= _SHOWN:
            return f"<zmq.Frame({self.bytes!r})>"
        factor, unit = next(unit for unit in _UNITS if size >= unit[0])
        return f"<zmq.Frame({self.bytes[:_SHOWN]!r}...{size // factor}{unit})>"

    @property
    def nbytes(self):
        """The size of the data in bytes."""
        view: Py_buffer
        PyObject_GetBuffer(self.data, cython.address(view), PyBUF_SIMPLE)
        size = view.len
        PyBuffer_Release(cython.address(view))
        return size

    @property
    def bytes(self):
        """The data as bytes; a copy, unless it was received as bytes."""
        if self.own and isinstance(self.data, bytes):
            return self.data
        if self.octets is None:
            self.octets = bytes(memoryview(self.data))
        return self.octets

    @property
    def buffer(self):
        """The data as a memoryview, without a copy."""
        if self.memory is None:
            self.memory = memoryview(self.data)
        return self.memory

    def get(self, option):
        """Return what is known of this part.

        *option* is the name of a property that the sender or its transport gave ("Socket-Type",
        "Identity", "Peer-Address", ...), or the number of a message option: MORE (1). Raises
        ZMQError(EINVAL) when there is no such property.
        """
        from .errors import ZMQError

        if isinstance(option, str):
            if self.properties and option in self.properties:
                return self.properties[option]
            raise ZMQError(22, f"this message has no property {option!r}")
        if option == 1:
            return int(self.more)
        raise ZMQError(
            22, f"{option!r} is not a message option; expected a property's name or MORE"
        )

    def set(self, option, value):
        """Message options cannot be set: raises ZMQError(EINVAL)."""
        from .errors import ZMQError

        raise ZMQError(22, f"the message option {option!r} cannot be set")

    def __getitem__(self, key):
        return self.get(key)


def received(data, more, properties):
    """Return a Frame over *data* as it was received.

    *properties* says what is known of its sender.
    """
    frame: Frame = Frame.__new__(Frame)  # nothing of __init__ is needed: it is a plain buffer
    frame.data = data
    frame.own = True
    frame.more = more
    frame.properties = properties
    return frame
