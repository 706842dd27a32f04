"""The greeting: what is sent upon which octets, and what the peer is (RFC 37, 15, 13)."""

import pytest
from unit.zmtp.wire import SIGNATURE, V30_GREETING, V31_GREETING

from shmzmq.zmtp.errors import ProtocolError, ProtocolReason
from shmzmq.zmtp.frames import V1, V2
from shmzmq.zmtp.greeting import GreetingExchange, LocalGreeting, PeerGreeting

OUR_REST = b"\x01" + b"NULL".ljust(20, b"\0") + bytes(32)
LONG_IDENTITY = bytes(range(1, 256))
SERVER = bytes((*V31_GREETING[:32], 1, *bytes(31)))


def greeting(major: int, minor: int) -> bytes:
    """Return a greeting of 64 octets with that version."""
    return SIGNATURE + bytes((major, minor)) + V31_GREETING[12:]


# what the peer sends, in pieces; what we send after each piece; what the peer is; what is left for
# the frames
ROWS = [
    pytest.param(
        [
            (SIGNATURE[:1], b""),
            (SIGNATURE[1:9], b""),
            (SIGNATURE[9:], b"\x03"),
            (b"\x03", OUR_REST),
            (V31_GREETING[11:63], b""),
            (b"\0", b""),
        ],
        PeerGreeting((3, 1), V2),
        b"",
        id="3.1 in pieces",
    ),
    pytest.param(
        [(V31_GREETING + b"\x04", b"\x03" + OUR_REST)],
        PeerGreeting((3, 1), V2),
        b"\x04",
        id="3.1 whole, and the first octet of a frame",
    ),
    pytest.param([(V30_GREETING, b"\x03" + OUR_REST)], PeerGreeting((3, 0), V2), b"", id="3.0"),
    pytest.param(
        [(greeting(3, 7), b"\x03" + OUR_REST)], PeerGreeting((3, 1), V2), b"", id="a later 3.x"
    ),
    pytest.param(
        [(greeting(4, 0), b"\x03" + OUR_REST)], PeerGreeting((3, 1), V2), b"", id="a later major"
    ),
    pytest.param(
        [(greeting(2, 0), b"\x03" + OUR_REST)], PeerGreeting((3, 1), V2), b"", id="revision 2"
    ),
    pytest.param(
        [(SERVER, b"\x03" + OUR_REST)], PeerGreeting((3, 1), V2, None, True), b"", id="as-server"
    ),
    pytest.param(
        [(b"\xffabcdefgh\xff" + V31_GREETING[10:], b"\x03" + OUR_REST)],
        PeerGreeting((3, 1), V2),
        b"",
        id="padding means nothing",
    ),
    pytest.param(
        [(V31_GREETING[:9] + b"\x01" + V31_GREETING[10:], b"\x03" + OUR_REST)],
        PeerGreeting((3, 1), V2),
        b"",
        id="of the tenth octet only bit 0 counts, set",
    ),
    pytest.param(
        [(b"\xff" + bytes(7) + b"\x01\xfe", b"me")],
        PeerGreeting((1, 0), V1),
        b"\xff" + bytes(7) + b"\x01\xfe",
        id="of the tenth octet only bit 0 counts, clear",
    ),
    pytest.param(
        [(SIGNATURE, b"\x03"), (b"\x01", b"\x06"), (b"\x05", b"\0\x02me"), (b"\0\0", b"")],
        PeerGreeting((2, 0), V2, b"DEALER"),
        b"\0\0",
        id="2.0",
    ),
    pytest.param(
        [(SIGNATURE + b"\0\x03", b"\x03\x06\x03\0me")],
        PeerGreeting((1, 0), V1, b"REQ"),
        b"",
        id="revision 0: the greeting of 2.0, the frames of 1.0",
    ),
    pytest.param(
        [(b"\x01", b"me"), (b"\0", b"")], PeerGreeting((1, 0), V1), b"\x01\0", id="1.0 anonymous"
    ),
    pytest.param(
        [(b"\xff" + bytes(7), b""), (b"\xff", b""), (b"\0abc", b"me")],
        PeerGreeting((1, 0), V1),
        b"\xff" + bytes(7) + b"\xff\0abc",
        id="1.0 with a long length",
    ),
]


@pytest.mark.parametrize("byte_by_byte", [False, True])
@pytest.mark.parametrize(("pieces", "peer", "rest"), ROWS)
def test_rows(
    pieces: list[tuple[bytes, bytes]], peer: PeerGreeting, rest: bytes, byte_by_byte: bool
) -> None:
    exchange = GreetingExchange(LocalGreeting("NULL", "ROUTER", b"me"))
    received = bytearray()
    for data, answer in pieces:
        to_send: list[bytes] = []
        for at in range(len(data)) if byte_by_byte else [0]:
            received += data[at : at + 1] if byte_by_byte else data
            exchange.receive(received, to_send)
        assert b"".join(to_send) == answer, data
    assert exchange.peer == peer
    assert received == rest


@pytest.mark.parametrize(("identity", "size"), [(b"", 1), (b"cli-1", 6), (LONG_IDENTITY, 256)])
def test_signature_is_the_header_of_a_1_0_identity_frame(identity: bytes, size: int) -> None:
    to_send: list[bytes] = []
    GreetingExchange(LocalGreeting("NULL", "DEALER", identity)).open(to_send)
    assert b"".join(to_send) == b"\xff" + size.to_bytes(8) + b"\x7f"
    exchange = GreetingExchange(LocalGreeting("NULL", "DEALER", identity))
    exchange.receive(bytearray(b"\x01\0"), to_send)
    assert V1.take(bytearray(b"".join(to_send))) == (1, identity)


def test_a_server_says_so() -> None:
    to_send: list[bytes] = []
    local = LocalGreeting("PLAIN", "ROUTER", b"", True, False)
    exchange = GreetingExchange(local)
    exchange.open(to_send)
    exchange.receive(bytearray(SIGNATURE + b"\x03"), to_send)
    ours = b"".join(to_send)
    assert len(ours) == 64
    assert ours[12:33] == b"PLAIN".ljust(20, b"\0") + b"\x01"


MISMATCH = ProtocolReason.ZMTP_MECHANISM_MISMATCH
METADATA = ProtocolReason.ZMTP_INVALID_METADATA

REFUSED = [
    pytest.param(V31_GREETING.replace(b"NULL", b"NULLX"), "NULL", True, MISMATCH, id="longer name"),
    pytest.param(V31_GREETING.replace(b"NULL", b"PLAI"), "NULL", True, MISMATCH, id="other name"),
    pytest.param(V31_GREETING, "CURVE", False, MISMATCH, id="ours is CURVE"),
    pytest.param(b"\x01\0", "CURVE", False, MISMATCH, id="1.0 for CURVE"),
    pytest.param(SIGNATURE + b"\x01", "NULL", False, MISMATCH, id="2.0 where ZAP is asked"),
    pytest.param(SIGNATURE + b"\x01\x08", "NULL", True, METADATA, id="2.0 PUSH to ROUTER"),
    pytest.param(SIGNATURE + b"\x01\x0b", "NULL", True, METADATA, id="2.0, no such type"),
]


@pytest.mark.parametrize(("data", "mechanism", "admits_old_peers", "reason"), REFUSED)
def test_refused(
    data: bytes, mechanism: str, admits_old_peers: bool, reason: ProtocolReason
) -> None:
    local = LocalGreeting(mechanism, "ROUTER", b"", False, admits_old_peers)
    exchange = GreetingExchange(local)
    with pytest.raises(ProtocolError) as caught:
        exchange.receive(bytearray(data), [])
    assert caught.value.reason == reason
    assert exchange.peer is None
