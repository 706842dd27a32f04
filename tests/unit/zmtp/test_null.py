"""The NULL mechanism as rows: what goes in, what comes out, how far it has come."""

import pytest

from shmzmq.zmtp.errors import LocalError, ProtocolError, ProtocolReason
from shmzmq.zmtp.events import AccessDenied, Ended, PeerError, ZapRequest
from shmzmq.zmtp.mechanisms.base import Status, ZapReply
from shmzmq.zmtp.mechanisms.null import NullMechanism
from shmzmq.zmtp.states import NULL, Null

PROPERTIES = b"\x01x\0\0\0\x01y"
READY = b"\x05READY" + PROPERTIES
PEER_READY = b"\x05READY\x01a\0\0\0\x01b"
ERROR_400 = b"\x05ERROR\x03400"
START = object()

GRANTED = ZapReply(200, "OK", b"joe", {"X-a": b"b"})
REFUSED = ZapReply(400, "no")
BROKEN = ZapReply(500, "oops")
LATER = ZapReply(300, "later")

GOING, UP, DOWN = Status.HANDSHAKING, Status.READY, Status.FAILED
ASK = ZapRequest("NULL")

# whether ZAP is asked; rows of: input, outputs, status afterwards; the failure
ROWS = [
    (False, [(START, [READY], GOING), (PEER_READY, [], UP)], None),
    (False, [(START, [READY], GOING), (ERROR_400, [], DOWN)], PeerError(True, "400")),
    (False, [(START, [READY], GOING), (b"\x05ERROR\0", [], DOWN)], PeerError(True, "")),
    (True, [(START, [ASK], GOING), (GRANTED, [READY], GOING), (PEER_READY, [], UP)], None),
    (True, [(START, [ASK], GOING), (PEER_READY, [], GOING), (GRANTED, [READY], UP)], None),
    (
        True,
        [(START, [ASK], GOING), (REFUSED, [ERROR_400], GOING), (PEER_READY, [], DOWN)],
        AccessDenied(True, 400, "no"),
    ),
    (
        True,
        [(START, [ASK], GOING), (REFUSED, [ERROR_400], GOING), (ERROR_400, [], DOWN)],
        AccessDenied(True, 400, "no"),
    ),
    (
        True,
        [(START, [ASK], GOING), (PEER_READY, [], GOING), (BROKEN, [b"\x05ERROR\x03500"], DOWN)],
        AccessDenied(True, 500, "oops"),
    ),
    (True, [(START, [ASK], GOING), (LATER, [], DOWN)], AccessDenied(True, 300, "later")),
    (
        True,
        [(START, [ASK], GOING), (PEER_READY, [], GOING), (LATER, [], DOWN)],
        AccessDenied(True, 300, "later"),
    ),
    (True, [(START, [ASK], GOING), (ERROR_400, [], DOWN)], PeerError(True, "400")),
]


def give(mechanism: NullMechanism, what: object) -> list[object]:
    """Put one input of a row in; return what comes out."""
    if what is START:
        return list(mechanism.start(PROPERTIES))
    if isinstance(what, ZapReply):
        return list(mechanism.receive_zap_reply(what))
    assert isinstance(what, bytes)
    return list(mechanism.receive_command(what))


@pytest.mark.parametrize(("ask_zap", "rows", "failure"), ROWS)
def test_rows(
    ask_zap: bool, rows: list[tuple[object, list[object], Status]], failure: Ended | None
) -> None:
    mechanism = NullMechanism(ask_zap=ask_zap)
    assert mechanism.admits_old_peers is not ask_zap
    for what, outputs, status in rows:
        assert give(mechanism, what) == outputs
        assert mechanism.status is status
    assert mechanism.failure == failure
    if mechanism.status is Status.READY:
        assert mechanism.peer_properties == {"a": b"b"}
        zap = {"X-a": b"b", "User-Id": b"joe"} if ask_zap else {}
        assert mechanism.zap_properties == zap


def test_every_state_is_reached_and_left_by_the_table() -> None:
    reached = {Null.START} | set(NULL.values())
    assert reached == set(Null)
    assert {state for state, _ in NULL} == set(Null) - {Null.READY, Null.FAILED}


@pytest.mark.parametrize(
    ("before", "command", "reason"),
    [
        ([START], b"\x05HELLO", ProtocolReason.ZMTP_UNEXPECTED_COMMAND),
        ([START], b"\x04PING\0\0", ProtocolReason.ZMTP_UNEXPECTED_COMMAND),
        ([START, PEER_READY], PEER_READY, ProtocolReason.ZMTP_UNEXPECTED_COMMAND),
        ([START], b"", ProtocolReason.ZMTP_MALFORMED_COMMAND_UNSPECIFIED),
        ([START], b"\x05READY\x01", ProtocolReason.ZMTP_INVALID_METADATA),
        ([START], b"\x05ERROR\x04400", ProtocolReason.ZMTP_MALFORMED_COMMAND_ERROR),
    ],
)
def test_what_a_peer_may_not_send(
    before: list[object], command: bytes, reason: ProtocolReason
) -> None:
    mechanism = NullMechanism()
    for what in before:
        give(mechanism, what)
    with pytest.raises(ProtocolError) as caught:
        mechanism.receive_command(command)
    assert caught.value.reason == reason


def test_a_second_ready_while_zap_is_asked() -> None:
    mechanism = NullMechanism(ask_zap=True)
    mechanism.start(PROPERTIES)
    mechanism.receive_command(PEER_READY)
    with pytest.raises(ProtocolError, match="PEER_READY"):
        mechanism.receive_command(PEER_READY)


def test_a_zap_status_that_does_not_exist() -> None:
    mechanism = NullMechanism(ask_zap=True)
    mechanism.start(PROPERTIES)
    with pytest.raises(ProtocolError, match="status 201") as caught:
        mechanism.receive_zap_reply(ZapReply(201))
    assert caught.value.reason == ProtocolReason.ZAP_INVALID_STATUS_CODE


def test_a_zap_reply_that_nobody_asked_for() -> None:
    mechanism = NullMechanism()
    mechanism.start(PROPERTIES)
    with pytest.raises(LocalError):
        mechanism.receive_zap_reply(GRANTED)
