"""Our ZMTP engine over a plain TCP socket, with libzmq (through pyzmq) at the other end.

The engine is driven by the smallest possible session: one blocking loop over one socket.
"""

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest
import zmq

from shmzmq.zmtp.connection import Connection
from shmzmq.zmtp.events import (
    Cancel,
    ConnectionLost,
    Ended,
    Event,
    HandshakeDone,
    MessageFrame,
    Ping,
    Pong,
    ProtocolViolation,
    Subscribe,
)
from shmzmq.zmtp.mechanisms.null import NullMechanism
from shmzmq.zmtp.options import ConnectionOptions

PATIENCE_S = 20.0
SIZES = [0, 1, 254, 255, 256, 257, 8191, 8192, 65536, 1 << 20]


class Session:
    """An engine and its socket."""

    def __init__(self, stream: socket.socket, options: ConnectionOptions) -> None:
        self._stream = stream
        self.engine = Connection(options, NullMechanism(), time.monotonic())

    def flush(self) -> None:
        """Write all that the engine has to send; that the peer is gone is for reading to tell."""
        self._stream.settimeout(PATIENCE_S)
        with contextlib.suppress(ConnectionError):
            self._stream.sendall(self.engine.data_to_send())

    def next_event(self) -> Event:
        """Return the next event, however many octets and timers it takes."""
        deadline = time.monotonic() + PATIENCE_S
        while (event := self.engine.next_event()) is None:
            self.flush()
            now = time.monotonic()
            assert now < deadline, "the peer was silent for too long"
            timer = self.engine.next_timeout()
            self._stream.settimeout(max(min(timer or deadline, deadline) - now, 0.001))
            try:
                data = self._stream.recv(65536)
            except TimeoutError:
                self.engine.handle_timeout(time.monotonic())
                continue
            except ConnectionResetError:
                data = b""
            if data:
                self.engine.receive_data(data, time.monotonic())
            else:
                self.engine.receive_eof()
        self.flush()
        return event

    def next_message(self) -> list[bytes]:
        """Return the next message; heartbeats may come before and between."""
        frames = []
        while True:
            event = self.next_event()
            assert not isinstance(event, Ended), event
            if isinstance(event, MessageFrame):
                frames.append(event.body)
                if not event.more:
                    return frames

    def send_message(self, frames: list[bytes]) -> None:
        """Send one message."""
        for at, frame in enumerate(frames):
            self.engine.send_frame(frame, more=at < len(frames) - 1)
        self.flush()

    def handshake(self) -> HandshakeDone:
        """Return the event that the handshake is done."""
        event = self.next_event()
        assert isinstance(event, HandshakeDone), event
        return event


class Meeting:
    """Brings a session and a libzmq socket together, with either side connecting."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], we_connect: bool) -> None:
        self._context = context
        self._we_connect = we_connect
        self._open: list[socket.socket | zmq.Socket[bytes]] = []

    def meet(
        self, ours: ConnectionOptions, theirs: int, **options: int | bytes
    ) -> tuple[Session, zmq.Socket[bytes]]:
        """Return a session of ours and the libzmq socket of type *theirs* that it talks to."""
        far = self._context.socket(theirs)
        self._open.append(far)
        far.linger = 0
        far.rcvtimeo = far.sndtimeo = int(PATIENCE_S * 1000)
        for name, value in options.items():
            setattr(far, name, value)
        if self._we_connect:
            port = far.bind_to_random_port("tcp://127.0.0.1")
            stream = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        else:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                listener.settimeout(PATIENCE_S)
                far.connect(f"tcp://127.0.0.1:{listener.getsockname()[1]}")
                stream, _ = listener.accept()
        self._open.append(stream)
        return Session(stream, ours), far

    def close(self) -> None:
        """Close both ends of everything."""
        for end in self._open:
            end.close()


@pytest.fixture(params=[True, False], ids=["we connect", "libzmq connects"])
def meeting(request: pytest.FixtureRequest) -> Iterator[Meeting]:
    """Either side as the one that connects."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    meeting = Meeting(context, request.param)
    yield meeting
    meeting.close()
    context.destroy(linger=0)


def test_dealer_to_router(meeting: Meeting) -> None:
    options = ConnectionOptions("DEALER", b"cli-1", {"X-Ours": b"told"})
    session, router = meeting.meet(options, zmq.ROUTER, routing_id=b"srv")
    done = session.handshake()
    assert done.version[0] == 3
    assert (done.mechanism, done.socket_type, done.identity) == ("NULL", "ROUTER", b"srv")
    for size in SIZES:
        message = [b"", b"m" * size]
        session.send_message(message)
        received = router.recv_multipart(copy=False)
        assert [frame.bytes for frame in received] == [b"cli-1", *message]
        assert received[1].get("Socket-Type") == "DEALER"
        assert received[1].get("X-Ours") == "told"
        router.send_multipart([b"cli-1", *message, b"back"])
        assert session.next_message() == [*message, b"back"]


def test_router_to_dealer(meeting: Meeting) -> None:
    session, dealer = meeting.meet(ConnectionOptions("ROUTER"), zmq.DEALER, routing_id=b"cli-2")
    assert session.handshake().identity == b"cli-2"
    for size in SIZES:
        dealer.send_multipart([b"r" * size, b"end"])
        assert session.next_message() == [b"r" * size, b"end"]
        session.send_message([b"s" * size])
        assert dealer.recv_multipart() == [b"s" * size]


def test_heartbeats_both_ways(meeting: Meeting) -> None:
    options = ConnectionOptions("DEALER", heartbeat_ivl_ms=30, heartbeat_timeout_ms=10_000)
    session, dealer = meeting.meet(options, zmq.DEALER, heartbeat_ivl=30, heartbeat_ttl=10_000)
    session.handshake()
    told = [session.next_event() for _ in range(12)]
    assert Ping(100, b"") in told
    assert Pong(b"") in told
    dealer.send(b"still here")
    assert session.next_message() == [b"still here"]


def test_a_subscriber_of_libzmq(meeting: Meeting) -> None:
    session, sub = meeting.meet(ConnectionOptions("XPUB"), zmq.SUB)
    session.handshake()
    sub.subscribe(b"news")
    # A libzmq socket that binds takes notice of its peer, and subscribes there, when it is used.
    session.send_message([b"news", b"today"])
    assert sub.recv_multipart() == [b"news", b"today"]
    assert session.next_event() in (Subscribe(b"news"), MessageFrame(b"\x01news", False))
    sub.unsubscribe(b"news")
    assert session.next_event() in (Cancel(b"news"), MessageFrame(b"\x00news", False))


def test_a_publisher_of_libzmq(meeting: Meeting) -> None:
    session, xpub = meeting.meet(ConnectionOptions("SUB"), zmq.XPUB)
    session.handshake()
    session.engine.subscribe(b"news")
    session.flush()
    assert xpub.recv() == b"\x01news"
    xpub.send_multipart([b"sport", b"no"])
    xpub.send_multipart([b"news", b"yes"])
    assert session.next_message() == [b"news", b"yes"]
    session.engine.cancel(b"news")
    session.flush()
    assert xpub.recv() == b"\x00news"


def test_socket_types_that_do_not_go_together(meeting: Meeting) -> None:
    session, _ = meeting.meet(ConnectionOptions("ROUTER"), zmq.PUSH)
    event = session.next_event()
    # Either of us may be the first to see it and to close.
    assert isinstance(event, ProtocolViolation | ConnectionLost)
    assert event.handshaking


def test_libzmq_refuses_what_is_too_large(meeting: Meeting) -> None:
    session, router = meeting.meet(ConnectionOptions("DEALER"), zmq.ROUTER, maxmsgsize=1000)
    session.handshake()
    session.send_message([b"x" * 1000])
    assert router.recv_multipart()[1] == b"x" * 1000
    session.send_message([b"x" * 1001])
    assert isinstance(session.next_event(), Ended)


def test_our_commands_do_not_disturb_libzmq(meeting: Meeting) -> None:
    """What shmzmq peers tell each other, a libzmq peer passes over."""
    options = ConnectionOptions("DEALER", b"me", {"X-Shmzmq": b"1"})
    session, router = meeting.meet(options, zmq.ROUTER)
    session.handshake()
    session.engine.send_command("SHMPIPE", b"\0" * 300)
    session.send_message([b"after"])
    assert router.recv_multipart() == [b"me", b"after"]
