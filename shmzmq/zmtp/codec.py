"""The frame codec of the traffic phase: headers in and out of plain memory, nothing else.

`frames` says what a frame looks like, and serves the handshake. Here is the same for whoever cuts a
busy stream himself (`Connection.take_over`): where a body begins, how long it is, and what stands
before one that is to be sent. No body is looked at or copied.

FRAMING_RAW has no headers: whatever was read at once is one frame.
"""

import cython
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.libc.string import memcpy

from . import frames

_RESERVED = cython.declare(cython.int, 0xF8)
_SIZE_MAX = cython.declare(uint64_t, frames.SIZE_MAX)
_FRAMINGS = {"raw": FRAMING_RAW, "1.0": FRAMING_V1, "2.0": FRAMING_V2}


@cython.cclass
class FrameCodec:
    """Headers of one connection's frames, in and out.

    *framing* is "raw", "1.0" or "2.0" (which 3.x has, too). The limits are the largest bodies of
    message and command frames that the peer may send, in bytes, -1 for none. Raises ValueError for
    another framing.
    """

    def __init__(
        self,
        framing: str = "2.0",
        message_limit: int64_t = -1,
        command_limit: int64_t = -1,
    ):
        if framing not in _FRAMINGS:
            raise ValueError(f"a framing is one of {', '.join(_FRAMINGS)}, not {framing!r}")
        self.framing = _FRAMINGS[framing]
        self.message_limit = message_limit
        self.command_limit = command_limit

    def parse(self, octets, available):
        """Look at the frame that begins at *octets*, of which *available* are there.

        FRAME_HEAD: `flags` (MORE, COMMAND), `size` and `start` tell of its body, which need not be
        there; FRAME_SHORT: its header is not; FRAME_BAD: `refuse` says why.
        """
        self.flags = 0
        if self.framing == FRAMING_RAW:
            self.start = 0
            self.size = available
            return FRAME_HEAD
        if available == 0:
            return FRAME_SHORT
        if self.framing == FRAMING_V1:
            return self.parse_v1(octets, available)
        flags: cython.int = octets[0]
        if flags & _RESERVED or flags & (FRAME_COMMAND | FRAME_MORE) == FRAME_COMMAND | FRAME_MORE:
            return FRAME_BAD
        if flags & FRAME_LONG:
            if available < 9:
                return FRAME_SHORT
            self.start = 9
            self.size = _big_endian(octets + 1)
        else:
            if available < 2:
                return FRAME_SHORT
            self.start = 2
            self.size = octets[1]
        self.flags = flags & ~FRAME_LONG
        return self.check_size()

    def parse_v1(self, octets, available):
        if octets[0] == 0xFF:
            if available < 10:
                return FRAME_SHORT
            self.start = 10
            self.size = _big_endian(octets + 1)
        else:
            if available < 2:
                return FRAME_SHORT
            self.start = 2
            self.size = octets[0]
        if self.size == 0:
            return FRAME_BAD
        self.size -= 1
        self.flags = octets[self.start - 1] & FRAME_MORE
        return self.check_size()

    def check_size(self):
        limit: int64_t = self.command_limit if self.flags & FRAME_COMMAND else self.message_limit
        if self.size > _SIZE_MAX or (limit >= 0 and self.size > cython.cast(uint64_t, limit)):
            return FRAME_BAD
        return FRAME_HEAD

    def refuse(self, head: bytes):
        """Raise the ProtocolError for a header that parse found bad."""
        framing = frames.V1 if self.framing == FRAMING_V1 else frames.V2
        framing.take(bytearray(head), self.message_limit, self.command_limit)
        raise AssertionError(f"nothing is wrong with the frame {head!r}")

    def put_header(self, out, size, flags):
        """Write the header for a body of *size* bytes to *out*, at most HEADER_MOST bytes.

        Returns how many they are. *flags* are MORE, COMMAND or 0.
        """
        if self.framing == FRAMING_RAW:
            return 0
        if self.framing == FRAMING_V1:
            if size + 1 < 0xFF:
                out[0] = size + 1
                out[1] = flags
                return 2
            out[0] = 0xFF
            _put_big_endian(out + 1, size + 1)
            out[9] = flags
            return 10
        if size > 255:
            out[0] = flags | FRAME_LONG
            _put_big_endian(out + 1, size)
            return 9
        out[0] = flags
        out[1] = size
        return 2

    # -- for tests; the relay calls the compiled methods itself ------------------------------------

    def header(self, size: uint64_t, flags: cython.int = 0):
        """Return the header for a body of *size* bytes."""
        out: cython.uchar[HEADER_MOST]
        count: cython.int = self.put_header(out, size, flags)
        return cython.cast(cython.p_char, out)[:count]

    def look(self, data: bytes):
        """Return (flags, start of the body, its size) of the frame that *data* begins with.

        None while its header is incomplete. Raises ProtocolError.
        """
        octets: cython.p_uchar = data
        rc: cython.int = self.parse(octets, len(data))
        if rc == FRAME_BAD:
            self.refuse(data)
        return None if rc == FRAME_SHORT else (self.flags, self.start, self.size)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _big_endian(octets: cython.p_const_uchar) -> uint64_t:
    value: uint64_t = 0
    i: cython.int
    for i in range(8):
        value = (value << 8) | octets[i]
    return value


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _put_big_endian(out: cython.p_uchar, value: uint64_t) -> cython.void:
    octets: cython.uchar[8]
    i: cython.int
    for i in range(8):
        octets[i] = (value >> (56 - 8 * i)) & 0xFF
    memcpy(out, octets, 8)
