"""Sending and receiving of more than one part, of text, JSON and Python objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .batches import Batches
from .constants import SNDMORE
from .message import Frame, MessageTracker

Result = TypeVar("Result")


class MessageFormats(Batches):
    """The methods of a socket that turn Python values into message parts and back."""

    def send_multipart(
        self,
        msg_parts: Sequence[Any],
        flags: int = 0,
        copy: bool = True,
        track: bool = False,
        **kwargs: Any,
    ) -> MessageTracker | None:
        """Send *msg_parts* (bytes-like objects or Frames) as one message.

        All of it is sent or nothing.
        Blocks and raises as `send` does. Raises TypeError, with nothing sent, when a part is
        neither, and BufferError when it has gaps.
        """
        for index, part in enumerate(msg_parts):
            if not isinstance(part, bytes | Frame):
                _check_part(part, index, len(msg_parts))
        for part in msg_parts[:-1]:
            self.send(part, SNDMORE | flags, copy=copy, track=track)
        return self.send(msg_parts[-1], flags, copy=copy, track=track)

    def recv_multipart(self, flags: int = 0, copy: bool = True, track: bool = False) -> list[Any]:
        """Receive all parts of one message. Blocks and raises as `recv` does."""
        parts = [self.recv(flags, copy=copy, track=track)]
        # The rest of a message is there when its beginning is.
        while self.more:
            parts.append(self.recv(flags, copy=copy, track=track))
        return parts

    def send_serialized(
        self,
        msg: Any,
        serialize: Callable[[Any], Sequence[Any]],
        flags: int = 0,
        copy: bool = True,
        **kwargs: Any,
    ) -> MessageTracker | None:
        """Send *msg* as the parts that ``serialize(msg)`` returns."""
        return self.send_multipart(serialize(msg), flags=flags, copy=copy, **kwargs)

    def recv_serialized(
        self, deserialize: Callable[[list[Any]], Result], flags: int = 0, copy: bool = True
    ) -> Result:
        """Return ``deserialize(parts)`` of one message."""
        return deserialize(self.recv_multipart(flags=flags, copy=copy))

    def send_string(
        self, u: str, flags: int = 0, copy: bool = True, encoding: str = "utf-8", **kwargs: Any
    ) -> MessageTracker | None:
        """Send text as bytes in *encoding*. Raises TypeError for anything but str."""
        if not isinstance(u, str):
            raise TypeError(f"send_string takes str, not {type(u).__name__}: {u!r:.80}")
        return self.send(u.encode(encoding), flags, copy=copy, **kwargs)

    def recv_string(self, flags: int = 0, encoding: str = "utf-8") -> str:
        """Receive one part as text in *encoding*. Raises UnicodeDecodeError when it is not."""
        text: str = self.recv(flags).decode(encoding)
        return text

    send_unicode = send_string
    recv_unicode = recv_string

    def send_pyobj(
        self,
        obj: Any,
        flags: int = 0,
        protocol: int = -1,
        *,
        out_of_band: bool = False,
        **kwargs: Any,
    ) -> MessageTracker | None:
        """Send any picklable object, with pickle *protocol* (-1: the highest), as one part.

        With *out_of_band* large buffers in it (arrays, for one) are not copied into the pickle:
        each is a part of its own behind it (PEP 574). The receiver has to say so, too; pyzmq knows
        only the form of one part.
        """
        import pickle

        if not out_of_band:
            return self.send(pickle.dumps(obj, protocol), flags, **kwargs)
        buffers: list[pickle.PickleBuffer] = []
        whole = pickle.dumps(obj, protocol, buffer_callback=buffers.append)
        return self.send_multipart([whole, *map(_raw, buffers)], flags, **kwargs)

    def recv_pyobj(self, flags: int = 0, *, out_of_band: bool = False, copy: bool = True) -> Any:
        """Receive an object sent with send_pyobj. Unpickling runs code of the sender's choice.

        With *out_of_band* the other parts of the message are the buffers in it. Without *copy* the
        object has views of them that cannot be written to, which are the sender's blocks where
        memory is shared.
        """
        import pickle

        if not out_of_band:
            return pickle.loads(self.recv(flags))
        whole, *frames = self.recv_multipart(flags, copy=False)
        buffers: list[Any] = [bytearray(frame) if copy else frame.buffer for frame in frames]
        return pickle.loads(whole, buffers=buffers)

    def send_json(self, obj: Any, flags: int = 0, **kwargs: Any) -> MessageTracker | None:
        """Send *obj* as JSON; keywords but routing_id and group go to json.dumps."""
        import json

        send_kwargs = {name: kwargs.pop(name) for name in ("routing_id", "group") if name in kwargs}
        return self.send(json.dumps(obj, **kwargs).encode(), flags, **send_kwargs)

    def recv_json(self, flags: int = 0, **kwargs: Any) -> Any:
        """Receive JSON; keywords go to json.loads."""
        import json

        return json.loads(self.recv(flags), **kwargs)

    def recv_into(self, buffer: Any, /, *, nbytes: int = 0, flags: int = 0) -> int:
        """Receive one part into a writable *buffer*; return how many bytes the part had.

        At most *nbytes* (0: as many as fit) are stored; a larger part is cut, as the result tells.
        Blocks and raises as `recv` does. A large part is copied once, from the sender's block.
        Raises BufferError for a *buffer* that cannot be written to, has gaps or another order than
        C's, or holds Python objects; ValueError for an *nbytes* that does not fit it. Nothing is
        received then.
        """
        # Before anything is received: what finds no place would be lost.
        with memoryview(buffer) as view, _octets_of(view) as octets:
            if nbytes < 0 or nbytes > octets.nbytes:
                raise ValueError(f"nbytes {nbytes} does not fit a buffer of {view.nbytes} bytes")
            frame = self.recv(flags, copy=False)
            size = min(len(frame), nbytes or octets.nbytes)
            octets[:size] = frame.buffer[:size]
        return len(frame)


def _octets_of(view: memoryview) -> memoryview:
    """Return the bytes of *view*, to be overwritten. Raises BufferError when they must not be."""
    if not view.c_contiguous or view.readonly:
        raise BufferError("recv_into needs a C-contiguous buffer that can be written to")
    # The names of fields stand between colons.
    if "O" in view.format and "O" in re.sub(":[^:]*:", "", view.format):
        raise BufferError("recv_into would overwrite the addresses of Python objects")
    return view.cast("B") if view.nbytes else memoryview(bytearray())


def _check_part(part: Any, index: int, count: int) -> None:
    """Raise TypeError or BufferError unless send takes *part*, before any of them is sent."""
    try:
        with memoryview(part) as view:
            whole = view.c_contiguous
    except TypeError:
        shown = repr(part)[:1000]
        raise TypeError(
            f"part {index} of {count} is neither a Frame nor has it a buffer: {shown}"
        ) from None
    if not whole:
        raise BufferError(f"part {index} of {count} is not contiguous: copy it first")


def _raw(buffer: Any) -> Any:
    """Return the bytes of a PickleBuffer as send takes them, copied only if they must be."""
    try:
        return buffer.raw()
    except BufferError:  # not contiguous
        return memoryview(buffer).tobytes()
