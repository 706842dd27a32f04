"""HANDSHAKE_IVL and heartbeats of a connection, by a clock that the test moves."""

import pytest
from unit.zmtp.wire import READY_ROUTER, V31_GREETING, Wire, connection, drain, established, feed

from shmzmq.zmtp.events import HandshakeDone, Ping, Pong, TimedOut


def test_handshake_must_be_done_in_time() -> None:
    engine = connection(now=100.0, handshake_ivl_ms=500)
    assert engine.next_timeout() == 100.5
    feed(engine, V31_GREETING, now=100.4)
    engine.handle_timeout(100.49)
    assert drain(engine) == []
    engine.handle_timeout(100.5)
    assert drain(engine) == [TimedOut(True, "handshake")]
    assert engine.next_timeout() is None


def test_what_came_in_time_counts_though_nobody_looked() -> None:
    engine = connection(now=100.0, handshake_ivl_ms=500)
    engine.receive_data(V31_GREETING + READY_ROUTER, 100.4)
    engine.handle_timeout(100.6)
    assert [type(event) for event in drain(engine)] == [HandshakeDone]


def test_no_handshake_limit() -> None:
    engine = connection(handshake_ivl_ms=0)
    assert engine.next_timeout() is None
    engine.handle_timeout(1e9)
    assert drain(engine) == []


def test_handshake_limit_ends_with_the_handshake() -> None:
    engine = established(handshake_ivl_ms=500)
    assert engine.next_timeout() is None
    engine.handle_timeout(9.0)
    assert drain(engine) == []


def test_heartbeats_keep_a_quiet_connection() -> None:
    wire = Wire(
        connection("DEALER", heartbeat_ivl_ms=1000, heartbeat_ttl_ms=2500),
        connection("ROUTER"),
    )
    wire.settle()
    for now in (1.0, 2.0, 3.0):
        assert wire.left.next_timeout() == now
        wire.left.handle_timeout(now)
        assert wire.settle(now) == ([Pong(b"")], [Ping(25, b"")])
        assert wire.right.next_timeout() == now + 2.5


def test_a_peer_that_falls_silent() -> None:
    engine = established(heartbeat_ivl_ms=1000, heartbeat_timeout_ms=300)
    engine.handle_timeout(1.0)
    assert engine.data_to_send() == b"\x04\x07\x04PING\0\0"
    assert engine.next_timeout() == 1.3
    engine.handle_timeout(1.3)
    assert drain(engine) == [TimedOut(False, "heartbeat")]


@pytest.mark.parametrize("sign", [b"\x04\x05\x04PONG", b"\0\x01x", b"\x02"])
def test_any_octet_is_a_sign_of_life(sign: bytes) -> None:
    """RFC 37: "any incoming traffic"; also a part of a frame that takes long to arrive."""
    engine = established(heartbeat_ivl_ms=1000, heartbeat_timeout_ms=300)
    engine.handle_timeout(1.0)
    feed(engine, sign, now=1.2)
    engine.handle_timeout(1.3)
    assert not any(isinstance(event, TimedOut) for event in drain(engine))
    assert engine.next_timeout() == 2.0


def test_a_caller_without_room_vouches_for_the_peer() -> None:
    engine = established(heartbeat_ivl_ms=1000, heartbeat_timeout_ms=300)
    engine.handle_timeout(1.0)
    engine.note_traffic()
    engine.handle_timeout(1.3)
    assert drain(engine) == []


def test_the_peers_time_to_live() -> None:
    engine = established()
    assert feed(engine, b"\x04\x09\x04PING\0\x05cx", now=7.0) == [Ping(5, b"cx")]
    assert engine.data_to_send() == b"\x04\x07\x04PONGcx"
    assert engine.next_timeout() == 7.5
    engine.handle_timeout(7.5)
    assert drain(engine) == [TimedOut(False, "ttl")]
