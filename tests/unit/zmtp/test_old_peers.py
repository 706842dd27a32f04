"""Peers that speak ZMTP 2.0 and 1.0 (RFC 15, RFC 13), octet by octet."""

import errno

import pytest
from unit.zmtp.wire import CHUNKINGS, SIGNATURE, connection, drain, feed

from shmzmq.zmtp.errors import LocalError, ProtocolReason
from shmzmq.zmtp.events import HandshakeDone, MessageFrame, ProtocolViolation, Subscribe
from shmzmq.zmtp.mechanisms.null import NullMechanism

OURS = b"\xff" + bytes(7) + b"\x03\x7f"  # an identity of two octets


@pytest.mark.parametrize("chunk", CHUNKINGS)
def test_2_0(chunk: int) -> None:
    engine = connection("ROUTER", identity=b"me")
    peer = SIGNATURE + b"\x01\x05" + b"\0\x03cli" + b"\x01\0" + b"\0\x02hi"
    done = HandshakeDone((2, 0), "NULL", {"Identity": b"cli", "Socket-Type": b"DEALER"})
    assert feed(engine, peer, chunk=chunk) == [
        done,
        MessageFrame(b"", True),
        MessageFrame(b"hi", False),
    ]
    engine.send_frame(b"x" * 300, more=True)
    engine.send_frame(b"yo")
    assert engine.data_to_send() == (
        OURS + b"\x03\x06" + b"\0\x02me" + b"\x03\0\0\0\0\0\0\x01\x2c" + b"x" * 300 + b"\0\x02yo"
    )


@pytest.mark.parametrize("chunk", CHUNKINGS)
@pytest.mark.parametrize("identity", [b"\x04\0cli", b"\xff\0\0\0\0\0\0\0\x04\0cli", b"\x04\x7fcli"])
def test_1_0(chunk: int, identity: bytes) -> None:
    engine = connection("ROUTER", identity=b"me")
    assert feed(engine, identity + b"\x01\x01" + b"\x03\0hi", chunk=chunk) == [
        HandshakeDone((1, 0), "NULL", {"Identity": b"cli"}),
        MessageFrame(b"", True),
        MessageFrame(b"hi", False),
    ]
    engine.send_frame(b"x" * 254, more=True)
    engine.send_frame(b"yo")
    assert engine.data_to_send() == (
        OURS + b"me" + b"\xff\0\0\0\0\0\0\0\xff\x01" + b"x" * 254 + b"\x03\0yo"
    )


@pytest.mark.parametrize("chunk", CHUNKINGS)
def test_revision_0(chunk: int) -> None:
    """The greeting of 2.0 with the frames of 1.0, from between the two."""
    engine = connection("REP", identity=b"me")
    assert feed(engine, SIGNATURE + b"\0\x03" + b"\x01\0" + b"\x01\x01\x02\0q", chunk=chunk) == [
        HandshakeDone((1, 0), "NULL", {"Identity": b"", "Socket-Type": b"REQ"}),
        MessageFrame(b"", True),
        MessageFrame(b"q", False),
    ]
    assert engine.data_to_send() == OURS + b"\x03\x04" + b"\x03\0me"


@pytest.mark.parametrize(
    ("peer", "wants", "cancels"),
    [
        (SIGNATURE + b"\x01\x01" + b"\0\0", b"\0\x02\x01a", b"\0\x02\0a"),
        (b"\x01\0", b"\x03\0\x01a", b"\x03\0\0a"),
    ],
    ids=["2.0", "1.0"],
)
def test_subscriptions_are_messages(peer: bytes, wants: bytes, cancels: bytes) -> None:
    engine = connection("SUB")
    feed(engine, peer)
    engine.data_to_send()
    engine.subscribe(b"a")
    assert engine.data_to_send() == wants
    engine.cancel(b"a")
    assert engine.data_to_send() == cancels


@pytest.mark.parametrize("socket_type", ["PUB", "XPUB", "PUSH"])
def test_a_1_0_subscriber_gets_everything(socket_type: str) -> None:
    events = feed(connection(socket_type), b"\x01\0")
    extra = [] if socket_type == "PUSH" else [Subscribe(b"")]
    assert events == [HandshakeDone((1, 0), "NULL", {"Identity": b""}), *extra]
    assert len(feed(connection("PUB"), SIGNATURE + b"\x01\x02\0\0")) == 1, "2.0 asks for itself"


def test_an_old_peer_knows_no_commands_and_no_heartbeats() -> None:
    engine = connection("DEALER", heartbeat_ivl_ms=1000)
    feed(engine, SIGNATURE + b"\x01\x06\0\0")
    assert engine.next_timeout() is None
    with pytest.raises(LocalError, match="knows no commands"):
        engine.send_command("SHMGO")
    (event,) = feed(engine, b"\x04\x05\x04PONG")
    assert isinstance(event, ProtocolViolation)


def test_handshake_limit_holds_until_the_identity_is_there() -> None:
    engine = connection("DEALER")
    feed(engine, SIGNATURE + b"\x01\x06\0\x05cl")
    assert engine.next_timeout() == 30.0
    feed(engine, b"i-1")
    assert engine.next_timeout() is None


@pytest.mark.parametrize(
    ("peer", "code"),
    [
        (SIGNATURE + b"\x01\x06" + b"\x02" + (256).to_bytes(8), "EMSGSIZE"),
        (b"\xff" + (257).to_bytes(8) + b"\0", "EMSGSIZE"),
        (b"\0\0", "EPROTO"),
    ],
    ids=["2.0 identity of 256", "1.0 identity of 256", "1.0 frame without flags"],
)
def test_identities_that_cannot_be(peer: bytes, code: str) -> None:
    (event,) = feed(connection("DEALER"), peer)
    assert isinstance(event, ProtocolViolation)
    assert event.handshaking
    assert event.code == getattr(errno, code)


@pytest.mark.parametrize("peer", [b"\x01\0", SIGNATURE + b"\x01\x05\0\0"], ids=["1.0", "2.0"])
def test_no_old_peer_where_zap_is_asked(peer: bytes) -> None:
    engine = connection("ROUTER", mechanism=NullMechanism(ask_zap=True))
    (event,) = feed(engine, peer)
    assert isinstance(event, ProtocolViolation)
    assert event.reason == ProtocolReason.ZMTP_MECHANISM_MISMATCH
    assert drain(engine) == []
