"""How connections to libzmq and to raw peers live and end."""

import contextlib
import os
import select
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from interop.conftest import ENDPOINTS, Meeting, known_endpoints
from support.factory import SocketFactory
from support.raw_peer import RawPeer, frame
from support.remote import PeerProcess
from support.waiting import PATIENCE_S, Background, wait_for

import shmzmq as zmq

PING = b"\x04PING"

_LOOK_MS = 20
"""How long it is waited for a message before another is sent."""


@pytest.fixture(params=known_endpoints())
def anywhere(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What a socket is opened with to be bound to an endpoint of each transport."""
    endpoint, options = ENDPOINTS[request.param]
    return {"bind": endpoint, **options}


@pytest.mark.parametrize("size", [10, 20_000])
def test_what_was_sent_before_close_arrives(meeting: Meeting, size: int) -> None:
    near, far = meeting.pair(zmq.PUSH, zmq.PULL, {"linger": -1})
    if meeting.we_bind:
        near.send(b"hello")
        assert far.recv() == b"hello"
    for number in range(500):
        near.send(b"%d" % number + bytes(size))
    near.close()
    for number in range(500):
        assert far.recv() == b"%d" % number + bytes(size)


def test_term_waits_until_it_is_written(libzmq: PeerProcess) -> None:
    context = zmq.Context()
    near = context.socket(zmq.PUSH)
    near.bind("ipc://*")
    far = libzmq.open(zmq.PULL, connect=near.last_endpoint.decode(), rcvhwm=1)
    near.send(b"hello")
    assert far.recv() == b"hello"
    for number in range(200):
        near.send(b"%d" % number + bytes(50_000))
    near.close()
    term = Background(context.term)
    for number in range(200):
        assert far.recv() == b"%d" % number + bytes(50_000)
        if number < 100:
            assert term.is_alive()
    term.result()
    libzmq.reset()


def test_linger_ends_though_nobody_reads(sockets: SocketFactory, tmp_path: Path) -> None:
    context = zmq.Context()
    with _listener(tmp_path) as listener:
        near = context.socket(zmq.PUSH)
        near.connect(f"ipc://{listener.getsockname()}")
        with _accept(listener) as peer:
            near.send(bytes(10_000_000))
            near.close(linger=50)
            context.term()
            assert peer.is_hung_up()


def _send_until_full(sender: Any) -> int:
    """Send numbered messages of 50 KB until one is refused, or 1,000; return how many went."""
    for number in range(1000):
        try:
            sender.send(b"%d" % number + bytes(50_000))
        except zmq.Again:
            return number
    return 1000


def test_high_water_marks_hold_libzmq_back(meeting: Meeting) -> None:
    near, far = meeting.pair(zmq.PULL, zmq.PUSH, {"rcvhwm": 5}, {"sndhwm": 5, "sndtimeo": 500})
    far.send(b"hello")
    assert near.recv() == b"hello"
    sent = _send_until_full(far)
    assert 10 <= sent < 200
    for number in range(sent):
        assert near.recv() == b"%d" % number + bytes(50_000)
    far.send(b"room again")
    assert near.recv() == b"room again"


def test_a_mark_that_is_raised_lets_libzmq_go_on(meeting: Meeting) -> None:
    near, far = meeting.pair(zmq.PULL, zmq.PUSH, {"rcvhwm": 5}, {"sndhwm": 5, "sndtimeo": 500})
    far.send(b"hello")
    assert near.recv() == b"hello"
    sent = _send_until_full(far)
    assert sent < 200
    near.rcvhwm = 1000
    far.sndtimeo = 20_000
    for number in range(sent, sent + 300):
        far.send(b"%d" % number + bytes(50_000))
    for number in range(sent + 300):
        assert near.recv() == b"%d" % number + bytes(50_000)


def test_high_water_marks_hold_us_back(meeting: Meeting) -> None:
    near, far = meeting.pair(zmq.PUSH, zmq.PULL, {"sndhwm": 5}, {"rcvhwm": 5})
    near.send(b"hello")
    assert far.recv() == b"hello"
    near.sndtimeo = 500
    sent = _send_until_full(near)
    assert 10 <= sent < 200
    for number in range(sent):
        assert far.recv() == b"%d" % number + bytes(50_000)
    near.sndtimeo = 20_000
    near.send(b"room again")
    assert far.recv() == b"room again"


def test_our_queue_outlives_the_peer(
    sockets: SocketFactory, libzmq: PeerProcess, tmp_path: Path
) -> None:
    near = sockets.open(zmq.PUSH, linger=0, reconnect_ivl=10)
    endpoint = f"ipc://{tmp_path}/libzmq"
    first = libzmq.open(zmq.PULL, bind=endpoint)
    near.connect(endpoint)
    near.send(b"one")
    assert first.recv() == b"one"
    first.close()
    second = libzmq.open(zmq.PULL, bind=endpoint)
    sent = 0

    def comes_through() -> bool:
        nonlocal sent
        near.send(b"%d" % sent)
        sent += 1
        return bool(second.poll(10))

    # The first ones may go to the first peer, which closes on a thread of libzmq's.
    wait_for(comes_through, "the second peer is reached")
    number = int(second.recv())
    while number < sent - 1:
        assert int(second.recv()) == number + 1
        number += 1
    libzmq.reset()


def _listener(folder: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(folder / "raw"))
    listener.listen()
    listener.settimeout(PATIENCE_S)
    return listener


def _accept(listener: socket.socket) -> RawPeer:
    """Accept our PUSH socket's connection and shake hands with it."""
    stream, _ = listener.accept()
    peer = RawPeer(stream)
    peer.shake_hands(b"PULL")
    return peer


def test_a_message_cut_off_by_a_loss_goes_whole_to_the_next(
    sockets: SocketFactory, tmp_path: Path
) -> None:
    near = sockets.open(zmq.PUSH, reconnect_ivl=10)
    with _listener(tmp_path) as listener:
        near.connect(f"ipc://{listener.getsockname()}")
        messages = [[b"%d" % n, bytes([n]) * 1_000_000] for n in range(5)]
        for message in messages:
            near.send_multipart(message)
        whole = b"".join(frame(parts[0], 1) + frame(parts[1]) for parts in messages)
        with _accept(listener) as peer:
            # The first message whole, and a part of the second.
            assert peer.hear(1_500_000) == whole[:1_500_000]
        with _accept(listener) as peer:
            # The second comes whole, or the third, should the kernel have had all of the second.
            flags, number = peer.hear_frame()
            assert (flags, number) in ((1, b"1"), (1, b"2"))
            for n in range(int(number), 5):
                assert peer.hear_frame() == (0, bytes([n]) * 1_000_000)
                if n < 4:
                    assert peer.hear_frame() == (1, b"%d" % (n + 1))


def test_silence_after_a_ping_ends_the_connection(
    sockets: SocketFactory, anywhere: dict[str, Any]
) -> None:
    near = sockets.open(
        zmq.PULL, **anywhere, heartbeat_ivl=50, heartbeat_timeout=150, heartbeat_ttl=1000
    )
    with RawPeer(near.last_endpoint.decode()) as peer:
        peer.shake_hands(b"PUSH")
        assert peer.hear_frame() == (4, PING + b"\x00\x0a")
        assert peer.is_hung_up()


def test_answers_to_pings_keep_the_connection(
    sockets: SocketFactory, anywhere: dict[str, Any]
) -> None:
    near = sockets.open(zmq.PULL, **anywhere, heartbeat_ivl=30, heartbeat_timeout=5000)
    with RawPeer(near.last_endpoint.decode()) as peer:
        peer.shake_hands(b"PUSH")
        for _ in range(10):
            assert peer.hear_frame() == (4, PING + b"\0\0")
            peer.say(frame(b"\x04PONG", 4))
        peer.say(frame(PING + b"\0\x00context", 4), frame(b"message"))
        assert near.recv() == b"message"
        while (heard := peer.hear_frame()) == (4, PING + b"\0\0"):
            pass
        assert heard == (4, b"\x04PONGcontext")


def test_the_time_to_live_that_a_peer_gives(
    sockets: SocketFactory, anywhere: dict[str, Any]
) -> None:
    near = sockets.open(zmq.PULL, **anywhere)
    with RawPeer(near.last_endpoint.decode()) as peer:
        peer.shake_hands(b"PUSH")
        peer.say(frame(PING + b"\0\x01", 4))
        assert peer.hear_frame() == (4, b"\x04PONG")
        assert peer.is_hung_up()


def test_a_silence_of_our_own_doing_is_not_the_peers(
    sockets: SocketFactory, anywhere: dict[str, Any]
) -> None:
    near = sockets.open(zmq.PULL, **anywhere, rcvhwm=2, heartbeat_ivl=20, heartbeat_timeout=60)
    with RawPeer(near.last_endpoint.decode()) as peer:
        peer.shake_hands(b"PUSH")
        peer.stream.setblocking(False)
        message = frame(bytes(10_000))
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                sent += peer.stream.send(message[sent % len(message) :])
        peer.stream.settimeout(PATIENCE_S)
        # What it cannot read it cannot answer: twenty beats pass, and it is still there.
        for _ in range(20):
            assert peer.hear_frame() == (4, PING + b"\0\0")
        for _ in range(sent // len(message)):
            assert len(near.recv()) == 10_000


def test_unbind_leaves_those_who_are_connected(
    sockets: SocketFactory, anywhere: dict[str, Any]
) -> None:
    near = sockets.open(zmq.PAIR, **anywhere)
    endpoint = near.last_endpoint.decode()
    with RawPeer(endpoint) as peer:
        peer.shake_hands(b"PAIR")
        peer.say(frame(b"one"))
        assert near.recv() == b"one"
        near.unbind(endpoint)
        with pytest.raises((FileNotFoundError, ConnectionRefusedError)):
            RawPeer(endpoint)
        peer.say(frame(b"two"))
        assert near.recv() == b"two"
        near.send(b"three")
        assert peer.hear_frame() == (0, b"three")


def test_disconnect_writes_what_was_sent(sockets: SocketFactory, tmp_path: Path) -> None:
    near = sockets.open(zmq.PUSH, linger=10_000)
    with _listener(tmp_path) as listener:
        near.connect(f"ipc://{listener.getsockname()}")
        near.send(b"x" * 3_000_000)
        with _accept(listener) as peer:
            near.disconnect(f"ipc://{listener.getsockname()}")
            assert peer.hear_frame() == (0, b"x" * 3_000_000)
            assert peer.hear(1) == b""


@pytest.mark.parametrize(
    ("option", "own_id"),
    [
        ("ipc_filter_uid", os.getuid),
        ("ipc_filter_gid", os.getgid),
        ("ipc_filter_pid", os.getpid),
    ],
)
def test_filters_of_ipc(sockets: SocketFactory, option: str, own_id: Callable[[], int]) -> None:
    strict = sockets.open(zmq.PULL, bind="ipc://*", **{option: [1_234_567]})
    with RawPeer(strict.last_endpoint.decode()) as peer:
        assert peer.hear(1) == b""
    lenient = sockets.open(zmq.PULL, bind="ipc://*", **{option: [1_234_567, own_id()]})
    with RawPeer(lenient.last_endpoint.decode()) as peer:
        peer.shake_hands(b"PUSH")
        peer.say(frame(b"admitted"))
        assert lenient.recv() == b"admitted"


def test_a_stream_that_does_not_read_stops_only_its_own_pipe(
    sockets: SocketFactory, anywhere: dict[str, Any]
) -> None:
    near = sockets.open(zmq.ROUTER, **anywhere, sndhwm=3)
    with (
        RawPeer(near.last_endpoint.decode()) as stuck,
        RawPeer(near.last_endpoint.decode()) as brisk,
    ):
        for peer, name in ((stuck, b"stuck"), (brisk, b"brisk")):
            peer.shake_hands(b"DEALER", name)
            peer.say(frame(b"hello"))
            assert near.recv_multipart() == [name, b"hello"]
        for _ in range(50):
            near.send_multipart([b"stuck", bytes(300_000)])  # most of them are dropped
        for number in range(200):
            near.send_multipart([b"brisk", b"%d" % number])
            assert brisk.hear_frame() == (0, b"%d" % number)
        assert stuck.hear_frame() == (0, bytes(300_000))


def test_a_peer_that_reads_nothing_leaves_all_to_the_others(
    sockets: SocketFactory, anywhere: dict[str, Any]
) -> None:
    near = sockets.open(zmq.PUSH, sndhwm=3, **anywhere)
    with (
        RawPeer(near.last_endpoint.decode()) as stuck,
        RawPeer(near.last_endpoint.decode()) as brisk,
    ):
        for peer in (stuck, brisk):
            peer.shake_hands(b"PULL")
        for _ in range(200):
            near.send(bytes(100_000))
            while not has_heard(brisk) and not near.poll(0, zmq.POLLOUT):
                pass
            if has_heard(brisk):
                assert brisk.hear_frame() == (0, bytes(100_000))
        assert stuck.hear_frame() == (0, bytes(100_000))


def has_heard(peer: RawPeer) -> bool:
    """Whether something lies unread in the peer's stream."""
    return bool(select.select([peer.stream], [], [], 0)[0])


def test_a_socket_that_receives_nothing_stops_only_its_own_peer(
    sockets: SocketFactory, anywhere: dict[str, Any]
) -> None:
    lazy, lively = (sockets.open(zmq.PULL, rcvhwm=2, **anywhere) for _ in range(2))
    with (
        RawPeer(lazy.last_endpoint.decode()) as held,
        RawPeer(lively.last_endpoint.decode()) as free,
    ):
        for peer in (held, free):
            peer.shake_hands(b"PUSH")
        sent = flood(held, frame(bytes(10_000)))
        for number in range(200):
            free.say(frame(b"%d" % number))
            assert lively.recv() == b"%d" % number
        for _ in range(sent // len(frame(bytes(10_000)))):
            assert lazy.recv() == bytes(10_000)


def flood(peer: RawPeer, message: bytes) -> int:
    """Say *message* until nothing more is taken for a while; return how many octets were."""
    peer.stream.settimeout(0.2)
    sent = 0
    with contextlib.suppress(TimeoutError):
        while True:
            sent += peer.stream.send(message[sent % len(message) :])
    peer.stream.settimeout(PATIENCE_S)
    return sent


def test_accepted_streams_are_closed_with_the_socket(
    sockets: SocketFactory, anywhere: dict[str, Any]
) -> None:
    near = sockets.open(zmq.PULL, **anywhere)
    with RawPeer(near.last_endpoint.decode()) as peer:
        peer.shake_hands(b"PUSH")
        peer.say(frame(b"one"))
        assert near.recv() == b"one"
        near.close()
        assert peer.is_hung_up()
