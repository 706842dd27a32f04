"""A connection whose mechanism asks the ZAP handler (RFC 27)."""

import pytest
from unit.zmtp.wire import V31_GREETING, Wire, connection, drain, established, feed

from shmzmq.zmtp.errors import LocalError
from shmzmq.zmtp.events import (
    AccessDenied,
    HandshakeDone,
    PeerError,
    ProtocolViolation,
    TimedOut,
    ZapRequest,
)
from shmzmq.zmtp.mechanisms.base import ZapReply
from shmzmq.zmtp.mechanisms.null import NullMechanism


def test_zap_lets_a_peer_in() -> None:
    asking = connection("ROUTER", mechanism=NullMechanism(ask_zap=True), heartbeat_ivl_ms=1000)
    wire = Wire(connection("DEALER"), asking)
    assert wire.settle() == ([], [ZapRequest("NULL")])
    asking.receive_zap_reply(ZapReply(200, "OK", b"joe", {"X-Level": b"3"}), 5.0)
    left, right = wire.settle()
    assert [type(event) for event in left] == [HandshakeDone]
    (done,) = right
    assert isinstance(done, HandshakeDone)
    assert done.metadata == {
        "Socket-Type": b"DEALER",
        "Identity": b"",
        "User-Id": b"joe",
        "X-Level": b"3",
    }
    assert asking.next_timeout() == 6.0


@pytest.mark.parametrize("status", [400, 500])
def test_zap_refuses_a_peer(status: int) -> None:
    asking = connection("ROUTER", mechanism=NullMechanism(ask_zap=True))
    wire = Wire(connection("DEALER"), asking)
    wire.settle()
    asking.receive_zap_reply(ZapReply(status, "no"), 0.0)
    left, right = wire.settle()
    assert left == [PeerError(True, str(status))]
    assert right == [AccessDenied(True, status, "no")]


def test_zap_puts_a_peer_off_without_a_word() -> None:
    asking = connection("ROUTER", mechanism=NullMechanism(ask_zap=True))
    wire = Wire(connection("DEALER"), asking)
    wire.settle()
    asking.receive_zap_reply(ZapReply(300, "busy"), 0.0)
    assert wire.settle() == ([], [AccessDenied(True, 300, "busy")])


def test_a_zap_reply_that_comes_too_late_is_dropped() -> None:
    asking = connection("ROUTER", mechanism=NullMechanism(ask_zap=True))
    feed(asking, V31_GREETING)
    asking.handle_timeout(30.0)
    asking.receive_zap_reply(ZapReply(200), 31.0)
    assert drain(asking) == [TimedOut(True, "handshake")]


def test_a_zap_reply_that_nobody_asked_for() -> None:
    with pytest.raises(LocalError, match="GREETING"):
        connection().receive_zap_reply(ZapReply(200), 0.0)
    with pytest.raises(LocalError, match="TRAFFIC"):
        established().receive_zap_reply(ZapReply(200), 0.0)


def test_a_zap_reply_with_a_status_that_does_not_exist() -> None:
    asking = connection("ROUTER", mechanism=NullMechanism(ask_zap=True))
    feed(asking, V31_GREETING)
    asking.receive_zap_reply(ZapReply(404), 0.0)
    (event,) = drain(asking)
    assert isinstance(event, ProtocolViolation)
    assert event.reason == 0x20000004
