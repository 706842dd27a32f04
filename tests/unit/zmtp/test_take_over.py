"""The traffic phase handed to another codec: octets, commands and timers."""

import pytest
from unit.zmtp.wire import READY_ROUTER, V31_GREETING, connection, drain, established

from shmzmq.zmtp import commands
from shmzmq.zmtp.errors import LocalError
from shmzmq.zmtp.events import Command, ConnectionLost, HandshakeDone, Ping, ProtocolViolation


def test_take_over_hands_back_what_was_not_looked_at() -> None:
    engine = connection()
    rest = b"\0\x01a\0\x01b\x04\x05\x04PO"
    engine.receive_data(V31_GREETING + READY_ROUTER + rest, 0.0)
    assert isinstance(engine.next_event(), HandshakeDone)
    assert engine.take_over() == rest
    assert engine.next_event() is None
    with pytest.raises(LocalError, match="taken over"):
        engine.receive_data(b"\0", 0.0)
    with pytest.raises(LocalError, match="TAKEN_OVER"):
        engine.send_frame(b"x")
    with pytest.raises(LocalError, match="TAKEN_OVER"):
        engine.take_over()


def test_take_over_after_commands_were_exchanged() -> None:
    engine = established()
    engine.receive_data(b"\x04\x06\x05SHMGO" + b"\0\x01a", 0.0)
    assert engine.next_event() == Command("SHMGO", b"")
    assert engine.take_over() == b"\0\x01a"


def test_commands_and_timers_go_on_after_take_over() -> None:
    engine = established(heartbeat_ivl_ms=1000, heartbeat_timeout_ms=300)
    engine.take_over()
    engine.handle_timeout(1.0)
    assert engine.data_to_send() == b"\x04\x07\x04PING\0\0"
    engine.receive_command(commands.ping(5, b"c"), 1.1)
    assert drain(engine) == [Ping(5, b"c")]
    assert engine.data_to_send() == b"\x04\x06\x04PONGc"
    assert engine.next_timeout() == 1.6
    engine.note_traffic()
    assert engine.next_timeout() == 2.0
    engine.subscribe(b"a")
    engine.send_command("SHMGO")
    assert engine.data_to_send() == b"\x04\x0b\x09SUBSCRIBEa\x04\x06\x05SHMGO"
    engine.receive_eof()
    assert drain(engine) == [ConnectionLost(False, False)]
    engine.receive_command(b"\x05SHMGO", 2.0)
    assert drain(engine) == []


def test_a_malformed_command_after_take_over() -> None:
    engine = established()
    engine.take_over()
    engine.receive_command(b"\x09SHORT", 0.0)
    assert [type(event) for event in drain(engine)] == [ProtocolViolation]
