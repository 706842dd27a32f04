"""Socket monitors: which events come in which order, and with which values (zmq_socket_monitor)."""

import errno
import socket
from typing import Any

import pytest
from support.exchange import bind_when_free
from support.factory import SocketFactory
from support.library import zmq
from support.raw_peer import connect_to, listen_at

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01" + b"NULL".ljust(20, b"\0") + b"\0" + bytes(31)

FAILED = (
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)


def delayed(endpoint: str) -> tuple[int, ...]:
    """Return what comes before CONNECTED: over tcp no connection is there at once."""
    return (zmq.EVENT_CONNECT_DELAYED,) if endpoint.startswith("tcp") else ()


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
    with connect_to(bound):
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
    with connect_to(endpoint) as stream:
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
    with connect_to(endpoint) as stream:
        stream.sendall(octets)
    _, number, _ = ear.expect(
        zmq.EVENT_ACCEPTED, zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, zmq.EVENT_DISCONNECTED
    )
    assert number in errno.errorcode


def test_a_silent_peer(sockets: SocketFactory, ears: Any, endpoint: str) -> None:
    pull = sockets.open(zmq.PULL, bind=endpoint, handshake_ivl=50)
    ear = ears(pull)
    with connect_to(endpoint):
        _, number, _ = ear.expect(
            zmq.EVENT_ACCEPTED, zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, zmq.EVENT_DISCONNECTED
        )
    assert number in errno.errorcode


def test_a_listener_that_hangs_up(sockets: SocketFactory, ears: Any, endpoint: str) -> None:
    with listen_at(endpoint) as listener:
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
