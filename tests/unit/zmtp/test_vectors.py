"""Connections captured from libzmq, replayed with our engine in the place of either side.

The vectors are dumps of both directions; `wire.captured` reads them.
"""

from typing import NamedTuple

import pytest
from unit.zmtp.wire import CHUNKINGS, captured, connection, drain, feed, written_by

from shmzmq.zmtp import commands, frames
from shmzmq.zmtp.connection import Connection
from shmzmq.zmtp.errors import ProtocolReason
from shmzmq.zmtp.events import (
    AccessDenied,
    Event,
    HandshakeDone,
    MessageFrame,
    PeerError,
    Ping,
    Pong,
    ProtocolViolation,
    ZapRequest,
)
from shmzmq.zmtp.mechanisms.base import ZapReply
from shmzmq.zmtp.mechanisms.null import NullMechanism

DEALER_SAYS = [MessageFrame(b"a", True), MessageFrame(b"bbbbb", False), MessageFrame(b"bye", False)]
ROUTER_SAYS = [MessageFrame(b"", True), MessageFrame(b"reply", False)]
DEALER_DONE = HandshakeDone((3, 1), "NULL", {"Socket-Type": b"DEALER", "Identity": b"cli-1"})
ROUTER_DONE = HandshakeDone((3, 1), "NULL", {"Socket-Type": b"ROUTER", "Identity": b""})


class Side(NamedTuple):
    """One side of the captures: its socket, and what passes in both directions."""

    node: int
    socket_type: str
    identity: bytes
    peer: HandshakeDone
    hears: list[MessageFrame]
    says: list[MessageFrame]


SIDES = [
    Side(0, "DEALER", b"cli-1", ROUTER_DONE, ROUTER_SAYS, DEALER_SAYS),
    Side(1, "ROUTER", b"", DEALER_DONE, DEALER_SAYS, ROUTER_SAYS),
]


@pytest.mark.parametrize("chunk", CHUNKINGS)
@pytest.mark.parametrize("side", SIDES, ids=lambda side: side.socket_type)
def test_null_octet_for_octet(side: Side, chunk: int) -> None:
    segments = captured("zmtp_null.hex")
    engine = connection(side.socket_type, identity=side.identity)
    assert feed(engine, written_by(segments, 1 - side.node), chunk=chunk) == [
        side.peer,
        *side.hears,
    ]
    for frame in side.says:
        engine.send_frame(frame.body, frame.more)
    assert engine.data_to_send() == written_by(segments, side.node)


@pytest.mark.parametrize("chunk", CHUNKINGS)
@pytest.mark.parametrize("node", [0, 1])
def test_captures_decode_to_frames_without_a_rest(node: int, chunk: int) -> None:
    """Whatever the mechanism, what follows the greeting is frames; decoding and encoding them
    changes nothing.
    """
    for name in (
        "null",
        "heartbeat",
        "plain",
        "curve",
        "heartbeat_curve",
        "gssapi_plain",
        "gssapi_enc",
    ):
        wanted = written_by(captured(f"zmtp_{name}.hex"), node)[64:]
        received, encoded = bytearray(), b""
        for at in range(0, len(wanted), chunk or len(wanted)):
            received += wanted[at : at + (chunk or len(wanted))]
            while (frame := frames.V2.take(received)) is not None:
                encoded += frames.V2.header(len(frame[1]), frame[0]) + frame[1]
        assert encoded == wanted, name
        assert not received, name


@pytest.mark.parametrize("chunk", CHUNKINGS)
def test_refused_by_the_peers_zap_handler(chunk: int) -> None:
    segments = captured("zmtp_null_denied.hex")
    engine = connection("DEALER", identity=b"cli-1")
    events = feed(engine, written_by(segments, 1), chunk=chunk)
    assert events == [PeerError(True, "400")]
    assert [event.status for event in events if isinstance(event, PeerError)] == [400]
    assert engine.data_to_send() == written_by(segments, 0)


@pytest.mark.parametrize("chunk", CHUNKINGS)
@pytest.mark.parametrize("reply_comes_late", [False, True])
def test_refusing_a_peer_after_zap(chunk: int, reply_comes_late: bool) -> None:
    segments = captured("zmtp_null_denied.hex")
    heard = written_by(segments, 0)
    engine = connection("ROUTER", mechanism=NullMechanism(ask_zap=True))
    first = len(heard) if reply_comes_late else 64
    assert feed(engine, heard[:first], chunk=chunk) == [ZapRequest("NULL")]
    engine.receive_zap_reply(ZapReply(400, "go away"), 0.0)
    events = drain(engine) + feed(engine, heard[first:], chunk=chunk)
    assert events == [AccessDenied(True, 400, "go away")]
    assert engine.data_to_send() == written_by(segments, 1)


@pytest.mark.parametrize("name", ["plain", "curve", "gssapi_plain"])
@pytest.mark.parametrize("node", [0, 1])
def test_another_mechanism_is_a_mismatch(name: str, node: int) -> None:
    engine = connection("ROUTER")
    (event,) = feed(engine, written_by(captured(f"zmtp_{name}.hex"), node))
    assert isinstance(event, ProtocolViolation)
    assert event.reason == ProtocolReason.ZMTP_MECHANISM_MISMATCH
    assert event.handshaking
    assert len(engine.data_to_send()) == 64, "the peer needs our greeting to see the mismatch"


def take_apart(stream: bytes) -> list[tuple[int, bytes]]:
    """Return the frames behind a greeting of 64 octets."""
    received = bytearray(stream[64:])
    found = []
    while (frame := frames.V2.take(received)) is not None:
        found.append(frame)
    return found


class Replay:
    """One side of the heartbeat capture: our engine says what libzmq said, when it said it.

    The capture has no times. A PING that the captured side sent before it can have read the peer's
    was due to its timer: ours is set off at that place, and everything else has to follow.
    """

    def __init__(self, node: int, engine: Connection) -> None:
        self._node = node
        self._engine = engine
        self._expected = take_apart(written_by(captured("zmtp_heartbeat.hex"), node))
        self.sent = b""
        self.events: list[Event] = []
        self.now = 0.0

    def run(self, chunk: int) -> None:
        for segment in captured("zmtp_heartbeat.hex"):
            if segment.node != self._node:
                self._say_what_is_next()
                self.events += feed(self._engine, segment.data, now=self.now, chunk=chunk)
                self._collect()
        self._say_what_is_next()

    def _collect(self) -> None:
        new = self._engine.data_to_send()
        before = len(take_apart(self.sent)) if len(self.sent) >= 64 else 0
        self.sent += new
        after = len(take_apart(self.sent)) if len(self.sent) >= 64 else 0
        del self._expected[: after - before]

    def _say_what_is_next(self) -> None:
        """Send messages, and set off the timer for PINGs, as long as they are what libzmq sent
        next.
        """
        self._collect()
        while self._expected and any(isinstance(event, HandshakeDone) for event in self.events):
            flags, body = self._expected[0]
            if not flags & frames.COMMAND:
                self._engine.send_frame(body, bool(flags & frames.MORE))
            elif commands.decode(body)[0] == "PING":
                due = self._engine.next_timeout()
                assert due is not None
                self.now = due
                self._engine.handle_timeout(due)
            else:
                return
            self._collect()


@pytest.mark.parametrize("chunk", CHUNKINGS)
@pytest.mark.parametrize("side", SIDES, ids=lambda side: side.socket_type)
def test_heartbeats_octet_for_octet(side: Side, chunk: int) -> None:
    engine = connection(
        side.socket_type, identity=side.identity, heartbeat_ivl_ms=200, heartbeat_ttl_ms=3000
    )
    replay = Replay(side.node, engine)
    replay.run(chunk)
    assert replay.sent == written_by(captured("zmtp_heartbeat.hex"), side.node)
    kinds = [type(event) for event in replay.events]
    assert replay.events[0] == side.peer
    assert [event for event in replay.events if isinstance(event, MessageFrame)] == side.hears
    assert kinds.count(Ping) == 4
    assert kinds.count(Pong) == 4
    assert Ping(30, b"") in replay.events
