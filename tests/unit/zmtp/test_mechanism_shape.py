"""A mechanism with two roles, a ZAP question and wrapped traffic fits the shape.

client   HELLO secret ►            INITIATE metadata ►
server                 ◄ WELCOME                       (ZAP) ◄ READY metadata
"""

from collections.abc import Sequence
from errno import EMSGSIZE

import pytest
from unit.zmtp.wire import SIGNATURE, Wire, connection, drain, feed

from shmzmq.zmtp import commands, metadata
from shmzmq.zmtp.errors import ProtocolError, ProtocolReason
from shmzmq.zmtp.events import (
    AccessDenied,
    Command,
    HandshakeDone,
    MessageFrame,
    PeerError,
    Ping,
    Pong,
    ProtocolViolation,
    ZapRequest,
)
from shmzmq.zmtp.frames import COMMAND
from shmzmq.zmtp.mechanisms.base import Mechanism, Output, Status, ZapReply


class Toy(Mechanism):
    """What both roles share: each frame travels inverted, in a MESSAGE.

    That is a command frame, as with CURVE, or a message frame, as with GSSAPI.
    """

    name = "TOY"

    def __init__(self, wrapped_in: int = COMMAND) -> None:
        super().__init__()
        self.wrapped_in = wrapped_in
        self.secret = b"sesame"
        self.properties = b""
        self.state = Status.HANDSHAKING

    @property
    def status(self) -> Status:
        return self.state

    def receive_zap_reply(self, reply: ZapReply) -> Sequence[Output]:
        raise NotImplementedError

    def encode(self, flags: int, body: bytes) -> tuple[int, bytes]:
        inverted = bytes(255 - octet for octet in bytes((flags,)) + body)
        return self.wrapped_in, commands.encode("MESSAGE", inverted)

    def decode(self, flags: int, body: bytes) -> tuple[int, bytes]:
        name, data = commands.decode(body)
        if flags != self.wrapped_in or name != "MESSAGE":
            raise ProtocolError("not wrapped", ProtocolReason.ZMTP_MALFORMED_COMMAND_MESSAGE)
        plain = bytes(255 - octet for octet in data)
        return plain[0], plain[1:]


class ToyClient(Toy):
    """The side that says HELLO."""

    def start(self, properties: bytes) -> Sequence[Output]:
        self.properties = properties
        return (commands.encode("HELLO", self.secret),)

    def receive_command(self, body: bytes) -> Sequence[Output]:
        name, data = commands.decode(body)
        if name == "WELCOME":
            return (commands.encode("INITIATE", self.properties),)
        if name == "ERROR":
            self._note_peer_error(commands.error_text(data))
            self.state = Status.FAILED
        else:
            self.peer_properties = metadata.decode(data)
            self.state = Status.READY
        return ()


class ToyServer(Toy):
    """The side that asks the ZAP handler."""

    as_server = True

    def start(self, properties: bytes) -> Sequence[Output]:
        self.properties = properties
        return ()

    def receive_command(self, body: bytes) -> Sequence[Output]:
        name, data = commands.decode(body)
        if name == "HELLO":
            self.secret = data
            return (commands.encode("WELCOME"),)
        self.peer_properties = metadata.decode(data)
        return (ZapRequest(self.name, (self.secret,)),)

    def receive_zap_reply(self, reply: ZapReply) -> Sequence[Output]:
        self._note_zap_reply(reply)
        if reply.status == 200:
            self.state = Status.READY
            return (commands.ready(self.properties),)
        self.state = Status.FAILED
        return (commands.error(str(reply.status)),)


def toy_wire(
    status: int = 200, *, maxmsgsize: int = -1, wrapped_in: int = COMMAND
) -> tuple[Wire, list[object], list[object]]:
    """Return a wire after the handshake, and what both sides told."""
    server = connection("ROUTER", mechanism=ToyServer(wrapped_in), maxmsgsize=maxmsgsize)
    wire = Wire(connection("DEALER", mechanism=ToyClient(wrapped_in)), server, chunk=3)
    assert wire.settle() == ([], [ZapRequest("TOY", (b"sesame",))])
    server.receive_zap_reply(ZapReply(status, "", b"joe"), 0.0)
    left, right = wire.settle()
    return wire, list(left), list(right)


def test_both_roles_get_through() -> None:
    _, left, right = toy_wire()
    to_client = {"Socket-Type": b"ROUTER", "Identity": b""}
    to_server = {"Socket-Type": b"DEALER", "Identity": b"", "User-Id": b"joe"}
    assert left == [HandshakeDone((3, 1), "TOY", to_client)]
    assert right == [HandshakeDone((3, 1), "TOY", to_server)]


def test_refused() -> None:
    _, left, right = toy_wire(400)
    assert left == [PeerError(True, "400")]
    assert right == [AccessDenied(True, 400, "")]


def test_all_traffic_is_wrapped() -> None:
    wire, _, _ = toy_wire()
    wire.left.send_frame(b"plain text", more=True)
    wire.left.send_frame(b"")
    octets = wire.left.data_to_send()
    assert b"plain" not in octets
    assert octets.count(b"\x07MESSAGE") == 2
    told = feed(wire.right, octets)
    assert told == [MessageFrame(b"plain text", True), MessageFrame(b"", False)]
    wire.right.send_command("SHMGO", b"x")
    wire.right.send_command("PING", b"\0\0c")
    assert wire.settle() == ([Command("SHMGO", b"x"), Ping(0, b"c")], [Pong(b"c")])


def test_traffic_that_is_not_wrapped() -> None:
    wire, _, _ = toy_wire()
    (event,) = feed(wire.right, b"\0\x08\x07MESSAGE")
    assert isinstance(event, ProtocolViolation)
    assert event.reason == ProtocolReason.ZMTP_MALFORMED_COMMAND_MESSAGE


@pytest.mark.parametrize("wrapped_in", [COMMAND, 0])
def test_maxmsgsize_means_what_was_wrapped(wrapped_in: int) -> None:
    wire, _, _ = toy_wire(maxmsgsize=10, wrapped_in=wrapped_in)
    wire.left.send_frame(b"x" * 10)
    assert wire.settle() == ([], [MessageFrame(b"x" * 10, False)])
    wire.left.send_frame(b"x" * 11)
    _, (event,) = wire.settle()
    assert isinstance(event, ProtocolViolation)
    assert event.code == EMSGSIZE


def test_a_server_checks_the_socket_type_before_it_says_ready() -> None:
    server = connection("PULL", mechanism=ToyServer())
    wire = Wire(connection("DEALER", mechanism=ToyClient()), server)
    wire.settle()
    server.receive_zap_reply(ZapReply(200), 0.0)
    (event,) = drain(server)
    assert isinstance(event, ProtocolViolation)
    assert server.data_to_send() == b""


def test_no_old_peer_gets_in() -> None:
    for octets in (b"\x01\0", SIGNATURE + b"\x01"):
        (event,) = feed(connection("ROUTER", mechanism=ToyServer()), octets)
        assert isinstance(event, ProtocolViolation)
        assert event.reason == ProtocolReason.ZMTP_MECHANISM_MISMATCH
