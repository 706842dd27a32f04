"""Frames against exact octets: RFC 37 "Framing" for 2.0 and 3.x, RFC 13 "The Framing Layer" for
1.0.
"""

from errno import EMSGSIZE, EPROTO

import pytest

from shmzmq.zmtp.errors import ProtocolError
from shmzmq.zmtp.frames import COMMAND, MORE, V1, V2, Framing

ROWS = [
    (V2, 0, 0, b"\0\0"),
    (V2, MORE, 1, b"\x01\x01"),
    (V2, COMMAND, 7, b"\x04\x07"),
    (V2, 0, 254, b"\0\xfe"),
    (V2, 0, 255, b"\0\xff"),
    (V2, 0, 256, b"\x02\0\0\0\0\0\0\x01\0"),
    (V2, MORE, 257, b"\x03\0\0\0\0\0\0\x01\x01"),
    (V2, COMMAND, 8192, b"\x06\0\0\0\0\0\0\x20\0"),
    (V2, 0, 1 << 20, b"\x02\0\0\0\0\0\x10\0\0"),
    (V1, 0, 0, b"\x01\0"),
    (V1, MORE, 1, b"\x02\x01"),
    (V1, 0, 253, b"\xfe\0"),
    (V1, MORE, 254, b"\xff\0\0\0\0\0\0\0\xff\x01"),
    (V1, 0, 255, b"\xff\0\0\0\0\0\0\x01\0\0"),
    (V1, 0, 65536, b"\xff\0\0\0\0\0\x01\0\x01\0"),
]


def body_of(size: int) -> bytes:
    """Return *size* octets that differ from place to place."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


@pytest.mark.parametrize(("framing", "flags", "size", "header"), ROWS)
def test_header_and_back(framing: Framing, flags: int, size: int, header: bytes) -> None:
    body = body_of(size)
    assert framing.header(size, flags) == header
    received = bytearray(header + body + b"next")
    assert framing.take(received) == (flags, body)
    assert received == b"next"


@pytest.mark.parametrize(("framing", "flags", "size", "header"), ROWS)
def test_nothing_is_taken_before_the_last_octet(
    framing: Framing, flags: int, size: int, header: bytes
) -> None:
    wire = header + body_of(size)
    received = bytearray()
    for at in range(len(wire)) if size < 1000 else [*range(12), len(wire) - 1]:
        received = bytearray(wire[:at])
        assert framing.take(received) is None
        assert received == wire[:at]


@pytest.mark.parametrize(
    ("framing", "wire", "frame"),
    [
        (V2, b"\x02\0\0\0\0\0\0\0\x01x", (0, b"x")),
        (V1, b"\xff\0\0\0\0\0\0\0\x02\x01x", (MORE, b"x")),
        (V1, b"\x02\x7ex", (0, b"x")),
        (V1, b"\xff\0\0\0\0\0\0\0\x02\x7fx", (MORE, b"x")),
    ],
    ids=["2.0 long form of a short frame", "1.0 the same", "1.0 reserved flags", "1.0 signature"],
)
def test_forms_that_we_do_not_send(framing: Framing, wire: bytes, frame: tuple[int, bytes]) -> None:
    assert framing.take(bytearray(wire)) == frame


@pytest.mark.parametrize("flags", [0x08, 0x10, 0x80, 0xFF, COMMAND | MORE, COMMAND | MORE | 0x02])
def test_flags_that_rfc_37_rules_out(flags: int) -> None:
    with pytest.raises(ProtocolError) as caught:
        V2.take(bytearray((flags,)))
    assert caught.value.code == EPROTO


def test_1_0_frame_without_room_for_flags() -> None:
    for wire in (b"\0\0", b"\xff" + bytes(9)):
        with pytest.raises(ProtocolError, match="length 0"):
            V1.take(bytearray(wire))


@pytest.mark.parametrize(
    ("framing", "wire", "limits", "fits"),
    [
        (V2, b"\0\x0a", (10, 0), True),
        (V2, b"\0\x0b", (10, 100), False),
        (V2, b"\x04\x0b", (10, 100), True),
        (V2, b"\x04\x65", (-1, 100), False),
        (V2, b"\0\x01", (0, 0), False),
        (V2, b"\0\0", (0, 0), True),
        (V2, b"\x02\x80" + bytes(7), (-1, -1), False),
        (V2, b"\x02\x7f" + b"\xff" * 7, (-1, -1), True),
        (V1, b"\x0b\0", (10, 0), True),
        (V1, b"\x0c\0", (10, 0), False),
        (V1, b"\xff" + b"\xff" * 8 + b"\0", (-1, -1), False),
    ],
)
def test_limits_act_on_the_header_alone(
    framing: Framing, wire: bytes, limits: tuple[int, int], fits: bool
) -> None:
    received = bytearray(wire)
    if fits:
        frame = framing.take(received, *limits)
        assert frame is None or frame == (0, b"")
    else:
        with pytest.raises(ProtocolError) as caught:
            framing.take(received, *limits)
        assert caught.value.code == EMSGSIZE
        assert received == wire
