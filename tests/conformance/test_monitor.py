"""Socket monitors: which events come in which order, and with which values (zmq_socket_monitor)."""

import errno
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.exchange import bind_when_free
from support.factory import SocketFactory
from support.library import LIBRARY_NAME, Context, Socket, ours_better, zmq
from support.links import free_port
from support.waiting import PATIENCE_MS

SCHEMES = ("tcp", "ipc")

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01" + b"NULL".ljust(20, b"\0") + b"\0" + bytes(31)

FAILED = (
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)


@pytest.fixture
def utils() -> Any:
    """The library's module for monitors' messages."""
    return pytest.importorskip(f"{LIBRARY_NAME}.utils.monitor")


class Ear:
    """Hears a socket's monitor, which is the test's to stop and the ear's to close."""

    def __init__(self, monitored: Socket, events: int | None = None) -> None:
        self.socket = monitored.get_monitor_socket(events)
        self.socket.rcvtimeo = PATIENCE_MS
        self.socket.linger = 0

    def next(self) -> tuple[Any, int, str]:
        """Wait for the next event: its number, value and endpoint."""
        head, endpoint = self.socket.recv_multipart()
        event, value = struct.unpack("=Hi", head)
        return zmq.Event(event), value, endpoint.decode()

    def expect(self, *events: int, endpoint: str | None = None) -> list[int]:
        """Hear exactly these events, about *endpoint*; return their values."""
        heard = [self.next() for _ in events]
        assert [event for event, _, _ in heard] == [zmq.Event(event) for event in events]
        if endpoint is not None:
            assert [name for _, _, name in heard] == [endpoint] * len(heard)
        return [value for _, value, _ in heard]

    def until(self, wanted: int) -> tuple[Any, int, str]:
        """Wait for an event of *wanted*; what comes before it does not matter."""
        while True:
            heard = self.next()
            if heard[0] & wanted:
                return heard


@pytest.fixture
def ears() -> Iterator[Any]:
    """Makes ears, and closes them."""
    made: list[Ear] = []

    def listen(monitored: Socket, events: int | None = None) -> Ear:
        made.append(Ear(monitored, events))
        return made[-1]

    yield listen
    for ear in made:
        ear.socket.close(linger=0)


@pytest.fixture(params=SCHEMES)
def endpoint(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An endpoint of each transport that has network events."""
    if request.param == "tcp":
        return f"tcp://127.0.0.1:{free_port()}"
    return f"ipc://{tmp_path}/s"


def delayed(endpoint: str) -> tuple[int, ...]:
    """Return what comes before CONNECTED: over tcp no connection is there at once."""
    return (zmq.EVENT_CONNECT_DELAYED,) if endpoint.startswith("tcp") else ()


def raw_connection(endpoint: str) -> socket.socket:
    """Connect to *endpoint* as somebody who may speak anything."""
    scheme, _, address = endpoint.partition("://")
    kind = socket.AF_INET if scheme == "tcp" else socket.AF_UNIX
    stream = socket.socket(kind)
    host, _, port = address.rpartition(":")
    stream.connect((host, int(port)) if scheme == "tcp" else address)
    return stream


def raw_listener(endpoint: str) -> socket.socket:
    """Listen on *endpoint* in the same way."""
    scheme, _, address = endpoint.partition("://")
    listener = socket.socket(socket.AF_INET if scheme == "tcp" else socket.AF_UNIX)
    host, _, port = address.rpartition(":")
    listener.bind((host, int(port)) if scheme == "tcp" else address)
    listener.listen(8)
    listener.settimeout(PATIENCE_MS / 1000)
    return listener


def test_a_connection_from_beginning_to_end(
    sockets: SocketFactory, ears: Any, endpoint: str
) -> None:
    pull = sockets.open(zmq.PULL)
    there = ears(pull)
    pull.bind(endpoint)
    [listening] = there.expect(zmq.EVENT_LISTENING, endpoint=endpoint)
    assert listening > 0
    push = sockets.open(zmq.PUSH)
    here = ears(push)
    push.connect(endpoint)
    *before, connected, succeeded = here.expect(
        *delayed(endpoint),
        zmq.EVENT_CONNECTED,
        zmq.EVENT_HANDSHAKE_SUCCEEDED,
        endpoint=endpoint,
    )
    assert before in ([], [errno.EINPROGRESS])
    assert connected > 0
    assert succeeded == 0
    accepted, _ = there.expect(zmq.EVENT_ACCEPTED, zmq.EVENT_HANDSHAKE_SUCCEEDED, endpoint=endpoint)
    assert accepted not in (0, listening)
    push.send(b"hello")
    assert pull.recv() == b"hello"
    push.close()
    here.expect(zmq.EVENT_MONITOR_STOPPED, endpoint="")
    assert there.expect(zmq.EVENT_DISCONNECTED, endpoint=endpoint) == [accepted]
    pull.close()
    assert there.expect(zmq.EVENT_CLOSED, endpoint=endpoint) == [listening]
    assert there.expect(zmq.EVENT_MONITOR_STOPPED, endpoint="") == [0]


def test_a_peer_that_goes_and_another_that_comes(
    sockets: SocketFactory, ears: Any, endpoint: str
) -> None:
    first = sockets.open(zmq.PULL, bind=endpoint)
    push = sockets.open(zmq.PUSH, reconnect_ivl=20)
    ear = ears(push)
    push.connect(endpoint)
    _, connected, _ = ear.until(zmq.EVENT_CONNECTED)
    ear.expect(zmq.EVENT_HANDSHAKE_SUCCEEDED)
    first.close()
    gone, interval = ear.expect(
        zmq.EVENT_DISCONNECTED, zmq.EVENT_CONNECT_RETRIED, endpoint=endpoint
    )
    assert gone == connected
    assert 20 <= interval < 40
    bind_when_free(sockets.open(zmq.PULL), endpoint)
    ear.until(zmq.EVENT_CONNECTED)
    ear.expect(zmq.EVENT_HANDSHAKE_SUCCEEDED)


def test_nobody_is_there(sockets: SocketFactory, ears: Any, endpoint: str) -> None:
    push = sockets.open(zmq.PUSH, reconnect_ivl=10, reconnect_ivl_max=40)
    ear = ears(push)
    push.connect(endpoint)
    for pause in (10, 20, 40, 40):
        *_, closed, interval = ear.expect(
            *delayed(endpoint),
            zmq.EVENT_CLOSED,
            zmq.EVENT_CONNECT_RETRIED,
            endpoint=endpoint,
        )
        assert closed != 0
        assert interval == pause


def test_no_second_try(sockets: SocketFactory, ears: Any, endpoint: str) -> None:
    push = sockets.open(zmq.PUSH, reconnect_ivl=-1)
    ear = ears(push)
    push.connect(endpoint)
    ear.expect(*delayed(endpoint), zmq.EVENT_CLOSED, endpoint=endpoint)
    push.close()
    ear.expect(zmq.EVENT_MONITOR_STOPPED)


@pytest.mark.parametrize(
    ("address", "number"),
    [
        ("tcp://198.51.100.1:5555", errno.EADDRNOTAVAIL),
        ("tcp://nosuch0:5555", errno.ENODEV),
        ("tcp://127.0.0.1:http", errno.EINVAL),
        ("ipc:///nosuch/directory/s", errno.ENOENT),
    ],
)
def test_bind_failed(sockets: SocketFactory, ears: Any, address: str, number: int) -> None:
    pull = sockets.open(zmq.PULL)
    ear = ears(pull, zmq.EVENT_BIND_FAILED)
    with pytest.raises(zmq.ZMQError):
        pull.bind(address)
    assert ear.next() == (zmq.EVENT_BIND_FAILED, number, address.partition("://")[2])


def test_an_address_in_use(sockets: SocketFactory, ears: Any) -> None:
    taken = sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*").last_endpoint.decode()
    pull = sockets.open(zmq.PULL)
    ear = ears(pull, zmq.EVENT_BIND_FAILED)
    with pytest.raises(zmq.ZMQError):
        pull.bind(taken)
    assert ear.expect(zmq.EVENT_BIND_FAILED) == [errno.EADDRINUSE]


def test_unbind(sockets: SocketFactory, ears: Any, endpoint: str) -> None:
    pull = sockets.open(zmq.PULL)
    ear = ears(pull)
    pull.bind(endpoint)
    listening = ear.expect(zmq.EVENT_LISTENING)
    pull.unbind(endpoint)
    assert ear.expect(zmq.EVENT_CLOSED, endpoint=endpoint) == listening


def test_one_who_is_kept_out(sockets: SocketFactory, ears: Any) -> None:
    pull = sockets.open(zmq.PULL, tcp_accept_filter=b"192.0.2.1")
    ear = ears(pull, zmq.EVENT_ACCEPT_FAILED)
    pull.bind("tcp://127.0.0.1:*")
    bound = pull.last_endpoint.decode()
    with raw_connection(bound):
        [number] = ear.expect(zmq.EVENT_ACCEPT_FAILED, endpoint=bound)
    assert number in errno.errorcode


@pytest.mark.parametrize(
    ("greeting", "command", "event", "value"),
    [
        (
            GREETING.replace(b"NULL", b"PLAI"),
            b"",
            zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL,
            zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH,
        ),
        (
            GREETING,
            b"\x04\x06\x05HELLO",
            zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL,
            zmq.PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND,
        ),
        (
            GREETING,
            b"\x04\x06\x05ERROR",
            zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL,
            zmq.PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_ERROR,
        ),
        (GREETING, b"\x04\x0a\x05ERROR\x03400", zmq.EVENT_HANDSHAKE_FAILED_AUTH, 400),
    ],
    ids=["mechanism", "command", "error", "refused"],
)
def test_a_handshake_that_fails(
    sockets: SocketFactory,
    ears: Any,
    endpoint: str,
    greeting: bytes,
    command: bytes,
    event: int,
    value: int,
) -> None:
    pull = sockets.open(zmq.PULL, bind=endpoint)
    ear = ears(pull)
    with raw_connection(endpoint) as stream:
        [accepted] = ear.expect(zmq.EVENT_ACCEPTED)
        stream.sendall(greeting)
        if command:
            stream.recv(len(GREETING), socket.MSG_WAITALL)
            stream.recv(2)  # its READY has begun, so it waits for our command
            stream.sendall(command)
        failed, gone = ear.expect(event, zmq.EVENT_DISCONNECTED, endpoint=endpoint)
    assert failed == value
    assert gone == accepted


@pytest.mark.parametrize("octets", [b"", GREETING])
def test_a_peer_that_leaves_during_the_handshake(
    sockets: SocketFactory, ears: Any, endpoint: str, octets: bytes
) -> None:
    pull = sockets.open(zmq.PULL, bind=endpoint)
    ear = ears(pull)
    with raw_connection(endpoint) as stream:
        stream.sendall(octets)
    _, number, _ = ear.expect(
        zmq.EVENT_ACCEPTED, zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, zmq.EVENT_DISCONNECTED
    )
    assert number in errno.errorcode


def test_a_silent_peer(sockets: SocketFactory, ears: Any, endpoint: str) -> None:
    pull = sockets.open(zmq.PULL, bind=endpoint, handshake_ivl=50)
    ear = ears(pull)
    with raw_connection(endpoint):
        _, number, _ = ear.expect(
            zmq.EVENT_ACCEPTED, zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, zmq.EVENT_DISCONNECTED
        )
    assert number in errno.errorcode


def test_a_listener_that_hangs_up(sockets: SocketFactory, ears: Any, endpoint: str) -> None:
    with raw_listener(endpoint) as listener:
        push = sockets.open(zmq.PUSH, reconnect_ivl=20)
        ear = ears(push)
        push.connect(endpoint)
        for _ in range(3):
            listener.accept()[0].close()
            ear.expect(
                *delayed(endpoint),
                zmq.EVENT_CONNECTED,
                zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL,
                zmq.EVENT_DISCONNECTED,
                zmq.EVENT_CONNECT_RETRIED,
                endpoint=endpoint,
            )


def test_incompatible_types(sockets: SocketFactory, ears: Any, endpoint: str) -> None:
    rep = sockets.open(zmq.REP, bind=endpoint)
    ear = ears(rep)
    sockets.open(zmq.PULL, connect=endpoint, reconnect_ivl=-1)
    [accepted] = ear.expect(zmq.EVENT_ACCEPTED)
    event, value, _ = ear.next()
    if event & FAILED:  # libzmq may say so
        event, value, _ = ear.next()
    assert (event, value) == (zmq.EVENT_DISCONNECTED, accepted)


def test_only_what_was_asked_for(sockets: SocketFactory, ears: Any, endpoint: str) -> None:
    pull = sockets.open(zmq.PULL)
    ear = ears(pull, zmq.EVENT_HANDSHAKE_SUCCEEDED)
    pull.bind(endpoint)
    push = sockets.open(zmq.PUSH, connect=endpoint)
    ear.expect(zmq.EVENT_HANDSHAKE_SUCCEEDED)
    push.close()
    sockets.open(zmq.PUSH, connect=endpoint)
    ear.expect(zmq.EVENT_HANDSHAKE_SUCCEEDED)
    pull.close()
    assert not ear.socket.poll(0)


def test_a_monitor_of_a_connected_socket(sockets: SocketFactory, ears: Any, endpoint: str) -> None:
    pull = sockets.open(zmq.PULL, bind=endpoint)
    push = sockets.open(zmq.PUSH, connect=endpoint)
    push.send(b"hello")
    assert pull.recv() == b"hello"
    ear = ears(pull)
    push.close()
    ear.expect(zmq.EVENT_DISCONNECTED, endpoint=endpoint)


def test_inproc_has_no_network_events(sockets: SocketFactory, ears: Any) -> None:
    bound, connected = sockets.open(zmq.PAIR), sockets.open(zmq.PAIR)
    heard = [ears(bound), ears(connected)]
    bound.bind("inproc://quiet")
    connected.connect("inproc://quiet")
    connected.send(b"hello")
    assert bound.recv() == b"hello"
    connected.close()
    bound.close()
    for ear in heard:
        ear.expect(zmq.EVENT_MONITOR_STOPPED)


def test_disable_monitor(sockets: SocketFactory, ears: Any, endpoint: str) -> None:
    pull = sockets.open(zmq.PULL)
    ear = ears(pull)
    pull.disable_monitor()
    ear.expect(zmq.EVENT_MONITOR_STOPPED)
    pull.bind(endpoint)
    again = ears(pull)
    assert again.socket is not ear.socket
    pull.unbind(endpoint)
    again.expect(zmq.EVENT_CLOSED)
    assert not ear.socket.poll(0)
    pull.disable_monitor()
    pull.disable_monitor()


def test_get_monitor_socket_returns_the_same(sockets: SocketFactory, ears: Any) -> None:
    pull = sockets.open(zmq.PULL)
    ear = ears(pull)
    assert pull.get_monitor_socket() is ear.socket
    assert ear.socket.type == zmq.PAIR


def test_a_new_monitor_replaces_the_old(sockets: SocketFactory, endpoint: str) -> None:
    pull = sockets.open(zmq.PULL)
    readers = []
    for name in ("inproc://first", "inproc://second"):
        pull.monitor(name, zmq.EVENT_LISTENING | zmq.EVENT_MONITOR_STOPPED)
        readers.append(sockets.open(zmq.PAIR, connect=name))
    first, second = readers
    assert first.recv_multipart() == [struct.pack("=Hi", zmq.EVENT_MONITOR_STOPPED, 0), b""]
    pull.bind(endpoint)
    head, name = second.recv_multipart()
    assert struct.unpack("=Hi", head)[0] == zmq.EVENT_LISTENING
    assert name.decode() == endpoint
    pull.monitor(None)
    assert second.recv_multipart() == [struct.pack("=Hi", zmq.EVENT_MONITOR_STOPPED, 0), b""]


def test_addresses_that_are_refused(sockets: SocketFactory) -> None:
    pull = sockets.open(zmq.PULL)
    for address, number in [
        ("tcp://127.0.0.1:*", zmq.EPROTONOSUPPORT),
        ("ipc://*", zmq.EPROTONOSUPPORT),
        ("inproc", errno.EINVAL),
        ("inproc://", errno.EINVAL),
    ]:
        with pytest.raises(zmq.ZMQError) as refused:
            pull.monitor(address, zmq.EVENT_ALL)
        assert refused.value.errno == number
    sockets.open(zmq.PAIR, bind="inproc://taken")
    with pytest.raises(zmq.ZMQError) as refused:
        pull.monitor("inproc://taken", zmq.EVENT_ALL)
    assert refused.value.errno == errno.EADDRINUSE
    pull.close()
    with pytest.raises(zmq.ZMQError):
        pull.monitor("inproc://closed", zmq.EVENT_ALL)


def test_messages_taken_apart(sockets: SocketFactory, ears: Any, endpoint: str, utils: Any) -> None:
    pull = sockets.open(zmq.PULL)
    ear = ears(pull)
    pull.bind(endpoint)
    message = utils.recv_monitor_message(ear.socket)
    assert message["event"] == zmq.EVENT_LISTENING
    assert message["value"] > 0
    assert message["endpoint"] == endpoint.encode()
    parts = [struct.pack("=Hi", zmq.EVENT_CLOSED, 7), b"tcp://a:1"]
    assert utils.parse_monitor_message(parts) == {
        "event": zmq.EVENT_CLOSED,
        "value": 7,
        "endpoint": b"tcp://a:1",
    }
    for bad in ([], parts[:1], [b"short", b""]):
        with pytest.raises(RuntimeError):
            utils.parse_monitor_message(bad)
    with pytest.raises(zmq.Again):
        utils.recv_monitor_message(ear.socket, zmq.DONTWAIT)


def test_the_context_ends_while_a_monitor_is_there(nothing_left: None, endpoint: str) -> None:
    context: Context = zmq.Context()
    pull = context.socket(zmq.PULL)
    ear = Ear(pull)
    pull.bind(endpoint)
    ear.expect(zmq.EVENT_LISTENING)
    context.destroy(linger=0)
    assert pull.closed
    assert ear.socket.closed


@ours_better("libzmq's I/O thread blocks, and with it all its sockets")
def test_a_monitor_that_nobody_reads_stalls_nothing(
    sockets: SocketFactory, ears: Any, endpoint: str
) -> None:
    pull = sockets.open(zmq.PULL, bind=endpoint)
    ear = ears(pull)
    unheard = sockets.open(zmq.PULL)
    unheard.monitor("inproc://nobody", zmq.EVENT_ALL)
    unheard.bind("inproc://unheard")
    for _ in range(1000):  # each makes three events
        raw_connection(endpoint).close()
    push = sockets.open(zmq.PUSH, connect=endpoint)
    push.send(b"hello")
    assert pull.recv() == b"hello"
    unheard.disable_monitor()
    pull.disable_monitor()
    ear.until(zmq.EVENT_MONITOR_STOPPED)
