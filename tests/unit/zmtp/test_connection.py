"""Two engines on a fake wire, and one engine against the octets of a peer."""

import pytest
from unit.zmtp.wire import (
    CHUNKINGS,
    READY_ROUTER,
    V30_GREETING,
    V31_GREETING,
    Wire,
    connection,
    drain,
    established,
    feed,
)

from shmzmq.zmtp.errors import LocalError
from shmzmq.zmtp.events import (
    Cancel,
    Command,
    ConnectionLost,
    Event,
    HandshakeDone,
    MessageFrame,
    ProtocolViolation,
    Subscribe,
)
from shmzmq.zmtp.metadata import COMPATIBLE
from shmzmq.zmtp.states import CONNECTION, Phase


@pytest.mark.parametrize("chunk", CHUNKINGS)
def test_two_engines_talk(chunk: int) -> None:
    dealer = connection("DEALER", identity=b"me", metadata={"X-Shmzmq": b"1 layout"})
    router = connection("ROUTER", metadata={"Resource": b"a/b"})
    wire = Wire(dealer, router, chunk=chunk)
    assert wire.settle() == (
        [
            HandshakeDone(
                (3, 1), "NULL", {"Socket-Type": b"ROUTER", "Identity": b"", "Resource": b"a/b"}
            )
        ],
        [
            HandshakeDone(
                (3, 1),
                "NULL",
                {"Socket-Type": b"DEALER", "Identity": b"me", "X-Shmzmq": b"1 layout"},
            )
        ],
    )
    assert (dealer.version, dealer.phase) == ((3, 1), Phase.TRAFFIC)
    sizes = [0, 1, 254, 255, 256, 257, 8191, 8192, 65536]
    for size in sizes:
        dealer.send_frame(b"x" * size, more=True)
    dealer.send_frame(bytearray(b"last"))
    router.send_frame(memoryview(b"reply"))
    assert wire.settle() == (
        [MessageFrame(b"reply", False)],
        [*(MessageFrame(b"x" * size, True) for size in sizes), MessageFrame(b"last", False)],
    )


def test_handshake_done_tells_what_the_session_needs() -> None:
    engine = connection("ROUTER")
    (done,) = feed(
        engine,
        V31_GREETING
        + b"\x04\x2b\x05READY\x0bSocket-Type\0\0\0\x03REQ\x08Identity\0\0\0\x05\0\x01cli",
    )
    assert isinstance(done, HandshakeDone)
    assert (done.socket_type, done.identity) == ("REQ", b"\0\x01cli")
    (done,) = feed(connection("ROUTER"), V31_GREETING + b"\x04\x06\x05READY")
    assert isinstance(done, HandshakeDone)
    assert (done.socket_type, done.identity) == ("", b"")


@pytest.mark.parametrize("ours", sorted(COMPATIBLE))
@pytest.mark.parametrize("theirs", sorted(COMPATIBLE))
def test_socket_types_are_checked_on_both_sides(ours: str, theirs: str) -> None:
    told = Wire(connection(ours), connection(theirs)).settle()
    kind = HandshakeDone if theirs in COMPATIBLE[ours] else ProtocolViolation
    assert [[type(event) for event in side] for side in told] == [[kind], [kind]]


@pytest.mark.parametrize("chunk", CHUNKINGS)
def test_commands_of_any_name_pass_in_order(chunk: int) -> None:
    wire = Wire(connection("DEALER"), connection("ROUTER"), chunk=chunk)
    wire.settle()
    wire.left.send_command("SHMPIPE", b"\0\xff" * 300)
    wire.left.send_frame(b"between")
    wire.left.send_command("SHMGO")
    wire.right.send_command("SHMNO", b"full")
    assert wire.settle() == (
        [Command("SHMNO", b"full")],
        [
            Command("SHMPIPE", b"\0\xff" * 300),
            MessageFrame(b"between", False),
            Command("SHMGO", b""),
        ],
    )


@pytest.mark.parametrize(
    ("greeting", "wants", "cancels"),
    [
        (V31_GREETING, b"\x04\x0b\x09SUBSCRIBEa", b"\x04\x08\x06CANCELa"),
        (V30_GREETING, b"\0\x02\x01a", b"\0\x02\0a"),
    ],
)
def test_subscriptions_take_the_form_of_the_version(
    greeting: bytes, wants: bytes, cancels: bytes
) -> None:
    engine = connection("SUB")
    feed(engine, greeting + b"\x04\x19\x05READY\x0bSocket-Type\0\0\0\x03PUB")
    engine.data_to_send()
    engine.subscribe(b"a")
    assert engine.data_to_send() == wants
    engine.cancel(b"a")
    assert engine.data_to_send() == cancels


def test_subscriptions_are_told() -> None:
    engine = established("PUB", "SUB")
    octets = b"\x04\x0b\x09SUBSCRIBEa" + b"\x04\x07\x06CANCEL" + b"\0\x02\x01a"
    assert feed(engine, octets) == [Subscribe(b"a"), Cancel(b""), MessageFrame(b"\x01a", False)]


@pytest.mark.parametrize(
    ("octets", "before", "lost"),
    [
        (b"", [], ConnectionLost(True, False)),
        (V31_GREETING[:20], [], ConnectionLost(True, True)),
        (V31_GREETING, [], ConnectionLost(True, False)),
        (V31_GREETING + READY_ROUTER, [HandshakeDone], ConnectionLost(False, False)),
        (
            V31_GREETING + READY_ROUTER + b"\x01\x01a\0\x05b",
            [HandshakeDone, MessageFrame],
            ConnectionLost(False, True),
        ),
    ],
)
def test_the_stream_ends(octets: bytes, before: list[type[Event]], lost: ConnectionLost) -> None:
    engine = connection()
    engine.receive_data(octets, 0.0)
    engine.receive_eof()
    *told, last = drain(engine)
    assert [type(event) for event in told] == before
    assert last == lost
    assert engine.next_timeout() is None


def test_nothing_happens_after_the_end() -> None:
    engine = established(heartbeat_ivl_ms=1000)
    feed(engine, b"\xff")
    assert engine.phase is Phase.CLOSED
    assert feed(engine, b"\0\x01a") == []
    engine.receive_eof()
    engine.handle_timeout(5.0)
    assert drain(engine) == []
    assert engine.next_timeout() is None
    for call in (
        lambda: engine.send_frame(b""),
        lambda: engine.send_command("X"),
        lambda: engine.subscribe(b""),
        lambda: engine.cancel(b""),
        engine.take_over,
    ):
        with pytest.raises(LocalError, match="CLOSED"):
            call()


def test_nothing_is_sent_before_the_handshake_is_done() -> None:
    engine = connection()
    for octets, phase in ((b"", "GREETING"), (V31_GREETING, "HANDSHAKE")):
        feed(engine, octets)
        assert engine.phase is Phase[phase]
        for call in (
            lambda: engine.send_frame(b""),
            lambda: engine.send_command("X"),
            lambda: engine.subscribe(b""),
            lambda: engine.cancel(b""),
            lambda: engine.receive_command(b"\x01X", 0.0),
            engine.take_over,
        ):
            with pytest.raises(LocalError, match=phase):
                call()


def test_received_data_is_copied() -> None:
    engine = established()
    buffer = bytearray(b"\0\x05hello")
    engine.receive_data(memoryview(buffer), 0.0)
    buffer[:] = b"\0\x05xxxxx"
    assert drain(engine) == [MessageFrame(b"hello", False)]


def test_every_phase_is_reached_and_can_end() -> None:
    assert {Phase.GREETING} | set(CONNECTION.values()) == set(Phase)
    assert {phase for phase, _ in CONNECTION} == set(Phase) - {Phase.CLOSED}
