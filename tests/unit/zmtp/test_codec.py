"""The compiled frame codec, held against the one in plain Python, octet by octet."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.zmtp.wire import captured, written_by

from shmzmq.zmtp import frames
from shmzmq.zmtp.codec import FrameCodec
from shmzmq.zmtp.errors import ProtocolError

SIZES = [0, 1, 253, 254, 255, 256, 257, 65535, 65536, 2**32, frames.SIZE_MAX]
FRAMINGS = {"1.0": frames.V1, "2.0": frames.V2}


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("flags", [0, frames.MORE])
def test_should_write_the_header_of_the_specification(framing: str, size: int, flags: int) -> None:
    if framing == "1.0" and size == frames.SIZE_MAX:
        size -= 1  # the length counts the flags, too
    assert FrameCodec(framing).header(size, flags) == FRAMINGS[framing].header(size, flags)


def test_should_write_these_octets() -> None:
    assert FrameCodec("2.0").header(255) == b"\x00\xff"
    assert FrameCodec("2.0").header(256, frames.MORE) == b"\x03\0\0\0\0\0\0\x01\0"
    assert FrameCodec("2.0").header(5, frames.COMMAND) == b"\x04\x05"
    assert FrameCodec("1.0").header(253, frames.MORE) == b"\xfe\x01"
    assert FrameCodec("1.0").header(254) == b"\xff\0\0\0\0\0\0\0\xff\0"


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("size", SIZES[:-1])
@pytest.mark.parametrize("flags", [0, frames.MORE])
def test_should_read_a_header_however_much_of_it_is_there(
    framing: str, size: int, flags: int
) -> None:
    codec = FrameCodec(framing)
    header = codec.header(size, flags)
    for end in range(len(header)):
        assert codec.look(header[:end]) is None
    assert codec.look(header) == (flags, len(header), size)
    assert codec.look(header + b"body") == (flags, len(header), size)


@pytest.mark.parametrize("octets", [b"\x08\0", b"\x80\0", b"\x05\0", b"\xff\0"])
def test_should_refuse_reserved_flags(octets: bytes) -> None:
    with pytest.raises(ProtocolError, match="flags"):
        FrameCodec("2.0").look(octets)


def test_should_refuse_a_1_0_frame_without_room_for_its_flags() -> None:
    with pytest.raises(ProtocolError, match="length 0"):
        FrameCodec("1.0").look(b"\0\0")


@pytest.mark.parametrize("framing", FRAMINGS)
def test_should_hold_messages_and_commands_to_their_limits(framing: str) -> None:
    codec = FrameCodec(framing, 100, 200)
    assert codec.look(codec.header(100)) is not None
    with pytest.raises(ProtocolError, match="101 bytes; at most 100"):
        codec.look(codec.header(101))
    if framing == "2.0":
        assert codec.look(codec.header(200, frames.COMMAND)) is not None
        with pytest.raises(ProtocolError, match="201 bytes; at most 200"):
            codec.look(codec.header(201, frames.COMMAND))


def test_should_take_raw_octets_for_frames_as_they_are() -> None:
    codec = FrameCodec("raw")
    assert codec.header(1000) == b""
    assert codec.look(b"\xffanything") == (0, 0, 9)


def test_should_name_the_framings_there_are() -> None:
    with pytest.raises(ValueError, match=r"raw, 1\.0, 2\.0, not '4\.0'"):
        FrameCodec("4.0")


@given(st.sampled_from(sorted(FRAMINGS)), st.binary(max_size=24), st.integers(-1, 300))
def test_should_agree_with_the_other_about_any_octets(
    framing: str, octets: bytes, limit: int
) -> None:
    codec = FrameCodec(framing, limit, limit)
    try:
        taken = FRAMINGS[framing].take(bytearray(octets), limit, limit)
    except ProtocolError as error:
        with pytest.raises(ProtocolError, match=re.escape(error.text)):
            codec.look(octets)
        return
    head = codec.look(octets)
    if taken is not None:
        flags, body = taken
        assert head is not None
        assert (head[0], octets[head[1] : head[1] + head[2]]) == (flags, body)
    elif head is not None:  # the header is there, and the body is not
        assert head[1] + head[2] > len(octets)


@pytest.mark.parametrize("capture", ["zmtp_null.hex", "zmtp_heartbeat.hex"])
@pytest.mark.parametrize("node", [0, 1])
def test_should_find_the_frames_that_libzmq_wrote(capture: str, node: int) -> None:
    octets = written_by(captured(capture), node)[64:]
    codec = FrameCodec("2.0")
    other = bytearray(octets)
    at = 0
    count = 0
    while at < len(octets):
        head = codec.look(octets[at:])
        assert head is not None
        flags, start, size = head
        assert frames.V2.take(other) == (flags, octets[at + start : at + start + size])
        at += start + size
        count += 1
    assert count > 1
    assert not other
