"""The framing of ZMTP 2.0 and 3.x, and that of 1.0: header out, frame in.

    2.0, 3.x   flags (1), size (1, or 8 when LONG is set), body             RFC 37, "Framing"
    1.0        size of flags and body (1, or 0xff and 8), flags (1), body   RFC 13

Decoding keeps no state of its own: it looks at the front of a buffer and either takes one whole
frame away or leaves all as it is. A size over the limit is refused as soon as the header is there,
before any body.
"""

from __future__ import annotations

from errno import EMSGSIZE

from .errors import ProtocolError, ProtocolReason

MORE = 0x01
LONG = 0x02
COMMAND = 0x04
_RESERVED = 0xF8

SIZE_MAX = 2**63 - 1
"""The largest body that RFC 37 allows, in bytes."""


class FramingV2:
    """Frames of ZMTP 2.0 and 3.x."""

    @staticmethod
    def header(size: int, flags: int = 0) -> bytes:
        """Return what stands before a body of *size* bytes; *flags* are MORE, COMMAND, or 0."""
        if size > 255:
            return bytes((flags | LONG,)) + size.to_bytes(8)
        return bytes((flags, size))

    @staticmethod
    def take(
        received: bytearray, message_limit: int = -1, command_limit: int = -1
    ) -> tuple[int, bytes] | None:
        """Take the first frame out of *received*; None while it is incomplete.

        Returns its flags (MORE, COMMAND) and its body. The limits are the largest bodies of message
        and command frames in bytes, -1 for none. Raises ProtocolError for reserved flags ("MUST be
        zero", RFC 37) and for a body over its limit.
        """
        if not received:
            return None
        flags = received[0]
        if flags & _RESERVED or flags & (COMMAND | MORE) == COMMAND | MORE:
            raise ProtocolError(f"a frame begins with the flags {flags:#04x}")
        start = 9 if flags & LONG else 2
        if len(received) < start:
            return None
        size = int.from_bytes(received[1:start])
        check_size(size, command_limit if flags & COMMAND else message_limit)
        body = _take(received, start, size)
        return None if body is None else (flags & ~LONG, body)


class FramingV1:
    """Frames of ZMTP 1.0, which knows no commands."""

    @staticmethod
    def header(size: int, flags: int = 0) -> bytes:
        """Return what stands before a body of *size* bytes; *flags* are MORE or 0."""
        if size + 1 < 0xFF:
            return bytes((size + 1, flags))
        return b"\xff" + (size + 1).to_bytes(8) + bytes((flags,))

    @staticmethod
    def take(
        received: bytearray, message_limit: int = -1, command_limit: int = -1
    ) -> tuple[int, bytes] | None:
        """Take the first frame out of *received*, as FramingV2.take does, without commands.

        Flags other than MORE are passed over: RFC 13 only wants them to be zero, and says that
        those of an identity frame are not to be looked at.
        """
        if not received:
            return None
        start = 10 if received[0] == 0xFF else 2
        if len(received) < start:
            return None
        size = int.from_bytes(received[1:9]) if start == 10 else received[0]
        if size == 0:
            raise ProtocolError("a ZMTP 1.0 frame has the length 0, without room for its flags")
        check_size(size - 1, message_limit)
        flags = received[start - 1] & MORE
        body = _take(received, start, size - 1)
        return None if body is None else (flags, body)


Framing = FramingV1 | FramingV2
V1 = FramingV1()
V2 = FramingV2()


def check_size(size: int, limit: int) -> None:
    """Raise ProtocolError for a body of *size* bytes over *limit* (-1: over what RFC 37 allows)."""
    if size > SIZE_MAX or 0 <= limit < size:
        allowed = SIZE_MAX if limit < 0 else limit
        raise ProtocolError(
            f"a frame announces {size} bytes; at most {allowed} are allowed",
            ProtocolReason.ZMTP_UNSPECIFIED,
            code=EMSGSIZE,
        )


def _take(received: bytearray, start: int, size: int) -> bytes | None:
    """Take a header of *start* bytes and a body of *size* bytes away; None, and nothing taken,
    while bytes lack.
    """
    end = start + size
    if len(received) < end:
        return None
    with memoryview(received) as view:  # one copy of the body, not two
        body = bytes(view[start:end])
    del received[:end]
    return body
