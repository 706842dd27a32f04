"""Command bodies against exact octets (RFC 37: "Commands", "The NULL Security Mechanism",
heartbeats).
"""

import pytest

from shmzmq.zmtp import commands
from shmzmq.zmtp.errors import ProtocolError, ProtocolReason


@pytest.mark.parametrize(
    ("body", "octets"),
    [
        (commands.ready(b"\x01x\0\0\0\0"), b"\x05READY\x01x\0\0\0\0"),
        (commands.error("400"), b"\x05ERROR\x03400"),
        (commands.error(""), b"\x05ERROR\0"),
        (commands.ping(30), b"\x04PING\x00\x1e"),
        (commands.ping(65535, b"ctx"), b"\x04PING\xff\xffctx"),
        (commands.pong(b"ctx"), b"\x04PONGctx"),
        (commands.subscribe(b"topic"), b"\x09SUBSCRIBEtopic"),
        (commands.cancel(b""), b"\x06CANCEL"),
        (commands.encode("SHMPIPE", b"\0\xff"), b"\x07SHMPIPE\0\xff"),
        (commands.encode("N" * 255), b"\xff" + b"N" * 255),
    ],
)
def test_octets_and_back(body: bytes, octets: bytes) -> None:
    assert body == octets
    name, data = commands.decode(octets)
    assert commands.encode(name, data) == octets


@pytest.mark.parametrize("name", ["", "N" * 256, "TWO WORDS", "TAB\t", "ÄÖ", "NUL\0"])
def test_names_that_cannot_be_sent(name: str) -> None:
    with pytest.raises(ValueError, match="visible ASCII"):
        commands.encode(name)


@pytest.mark.parametrize(
    "body", [b"", b"\0", b"\0READY", b"\x05READ", b"\x5eRROR\x03400", b"\x03A\xffB", b"\x02A\0"]
)
def test_bodies_without_a_proper_name(body: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        commands.decode(body)
    assert caught.value.reason == ProtocolReason.ZMTP_MALFORMED_COMMAND_UNSPECIFIED


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"\0", ""), (b"\x03400", "400"), (b"\x03400 and more", "400"), (b"\x01\xff", "\\xff")],
)
def test_error_text(data: bytes, text: str) -> None:
    assert commands.error_text(data) == text


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x0440"])
def test_error_text_cut_off(data: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        commands.error_text(data)
    assert caught.value.reason == ProtocolReason.ZMTP_MALFORMED_COMMAND_ERROR


def test_ping_fields() -> None:
    assert commands.ping_fields(b"\0\x1e") == (30, b"")
    assert commands.ping_fields(b"\xff\xff" + b"c" * 16) == (65535, b"c" * 16)
    assert commands.ping_fields(b"\0\0" + b"c" * 17) == (0, b"c" * 16), "cut, as libzmq does"
    for data in (b"", b"\0"):
        with pytest.raises(ProtocolError, match="time to live"):
            commands.ping_fields(data)
