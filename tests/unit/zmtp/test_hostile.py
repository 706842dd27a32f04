"""Peers that lie, shout or talk nonsense: one final event, nothing raised, no memory taken on their
word.
"""

from errno import EMSGSIZE, EPROTO

import pytest
from unit.zmtp.wire import CHUNKINGS, V31_GREETING, connection, established, feed

from shmzmq.zmtp.connection import HANDSHAKE_COMMAND_MAX, TRAFFIC_ALLOWANCE
from shmzmq.zmtp.errors import ProtocolReason
from shmzmq.zmtp.events import Command, Event, MessageFrame, ProtocolViolation
from shmzmq.zmtp.states import Phase

READY = b"\x04\x06\x05READY"
R = ProtocolReason

HANDSHAKES = [
    pytest.param(b"\0\x05\x05READY", R.ZMTP_UNEXPECTED_COMMAND, id="READY as a message"),
    pytest.param(b"\x04\x07\x04PING\0\0", R.ZMTP_UNEXPECTED_COMMAND, id="PING"),
    pytest.param(b"\x04\x06\x05HELLO", R.ZMTP_UNEXPECTED_COMMAND, id="HELLO"),
    pytest.param(b"\x04\0", R.ZMTP_MALFORMED_COMMAND_UNSPECIFIED, id="no name"),
    pytest.param(b"\x04\x03\x05RE", R.ZMTP_MALFORMED_COMMAND_UNSPECIFIED, id="short name"),
    pytest.param(
        b"\x04\x09\x5eRROR\x03400", R.ZMTP_MALFORMED_COMMAND_UNSPECIFIED, id="libzmq's slip"
    ),
    pytest.param(b"\x04\x07\x05ERROR\x01", R.ZMTP_MALFORMED_COMMAND_ERROR, id="short reason"),
    pytest.param(b"\x04\x07\x05READY\x01", R.ZMTP_INVALID_METADATA, id="short property"),
    pytest.param(
        b"\x04\x18\x05READY\x0bSocket-Type\0\0\0\x02QQ", R.ZMTP_INVALID_METADATA, id="no such type"
    ),
    pytest.param(b"\x05\x06\x05READY", R.ZMTP_UNSPECIFIED, id="MORE on a command"),
    pytest.param(b"\x44\x06\x05READY", R.ZMTP_UNSPECIFIED, id="reserved flag"),
]


@pytest.mark.parametrize("chunk", CHUNKINGS)
@pytest.mark.parametrize(("octets", "reason"), HANDSHAKES)
def test_handshakes_that_fail(octets: bytes, reason: ProtocolReason, chunk: int) -> None:
    engine = connection("DEALER")
    (event,) = feed(engine, V31_GREETING + octets, chunk=chunk)
    assert isinstance(event, ProtocolViolation)
    assert (event.handshaking, event.reason, event.code) == (True, reason, EPROTO)
    assert event.text
    assert engine.phase is Phase.CLOSED


@pytest.mark.parametrize("size", [HANDSHAKE_COMMAND_MAX + 1, 1 << 40, (1 << 64) - 1])
def test_a_handshake_command_that_is_too_long(size: int) -> None:
    engine = connection("DEALER")
    (event,) = feed(engine, V31_GREETING + b"\x06" + size.to_bytes(8))
    assert isinstance(event, ProtocolViolation)
    assert (event.code, event.handshaking) == (EMSGSIZE, True)


def test_maxmsgsize_is_no_limit_for_the_handshake() -> None:
    engine = connection("DEALER", maxmsgsize=3)
    assert len(feed(engine, V31_GREETING + READY)) == 1
    assert engine.phase is Phase.TRAFFIC


@pytest.mark.parametrize(
    ("octets", "events"),
    [
        (b"\0\x0a" + b"x" * 10, [MessageFrame(b"x" * 10, False)]),
        (b"\x01\x0a" + b"x" * 10 + b"\0\x0a", [MessageFrame(b"x" * 10, True)]),
        (b"\x04\x0b\x0aSHMPIPESHM", [Command("SHMPIPESHM", b"")]),
    ],
    ids=["at the limit", "each frame by itself", "commands have their own limit"],
)
def test_within_maxmsgsize(octets: bytes, events: list[Event]) -> None:
    assert feed(established(maxmsgsize=10), octets) == events


@pytest.mark.parametrize(
    "octets",
    [
        b"\0\x0b",
        b"\x02" + (11).to_bytes(8),
        b"\x02" + (1 << 62).to_bytes(8),
        b"\x06" + (11 + TRAFFIC_ALLOWANCE).to_bytes(8),
    ],
)
def test_over_maxmsgsize(octets: bytes) -> None:
    (event,) = feed(established(maxmsgsize=10), octets)
    assert isinstance(event, ProtocolViolation)
    assert (event.code, event.handshaking) == (EMSGSIZE, False)


def test_a_frame_over_what_rfc_37_allows() -> None:
    (event,) = feed(established(), b"\x02\x80" + bytes(7))
    assert isinstance(event, ProtocolViolation)
    assert event.code == EMSGSIZE


@pytest.mark.parametrize(
    "octets",
    [
        b"\x04\0",
        b"\x04\x01\0",
        b"\x04\x05\x05PIN",
        b"\x04\x05\x04PING",
        b"\x04\x06\x04PING\0",
        b"\x04\x03\x02\x80\x80",
        b"\x80",
        b"\x05",
        b"\xff",
    ],
)
def test_nonsense_in_the_traffic(octets: bytes) -> None:
    *before, event = feed(established(), b"\0\x01a" + octets + b"\0\x01b")
    assert before == [MessageFrame(b"a", False)]
    assert isinstance(event, ProtocolViolation)
    assert not event.handshaking


@pytest.mark.parametrize("chunk", CHUNKINGS)
@pytest.mark.parametrize(
    "octets",
    [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 9, b"SSH-2.0-OpenSSH_9.2\r\n" * 9, bytes(99)],
    ids=["http", "ssh", "zeros"],
)
def test_other_protocols(octets: bytes, chunk: int) -> None:
    """What looks like ZMTP 1.0 may pass for a while, as with libzmq, but nothing is ever raised."""
    engine = connection("ROUTER", maxmsgsize=1000)
    for event in feed(engine, octets, chunk=chunk):
        assert type(event).__name__ in ("HandshakeDone", "MessageFrame", "ProtocolViolation")


def test_ready_twice_is_a_command_without_meaning() -> None:
    """libzmq passes over commands that it does not expect in the traffic, and so must we."""
    assert feed(established(), READY) == [Command("READY", b"")]
