"""Socket monitors as their users handle them: beginning, choosing, reading and ending."""

import errno
import struct
from typing import Any

import pytest
from support.ear import Ear
from support.factory import SocketFactory
from support.library import Context, ours_better, zmq
from support.raw_peer import connect_to


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
        connect_to(endpoint).close()
    push = sockets.open(zmq.PUSH, connect=endpoint)
    push.send(b"hello")
    assert pull.recv() == b"hello"
    unheard.disable_monitor()
    pull.disable_monitor()
    ear.until(zmq.EVENT_MONITOR_STOPPED)
