"""HEARTBEAT_IVL: "a PING ZMTP command will be sent every ZMQ_HEARTBEAT_IVL milliseconds."

HEARTBEAT_TIMEOUT: "The connection will time out if there is no traffic received after sending the
PING command, but the received traffic does not have to be a PONG command - any received traffic
will cancel the timeout." It "is only valid if ZMQ_HEARTBEAT_IVL is also set".

HEARTBEAT_TTL: "the remote side shall time out the connection if it does not receive any more
traffic within the TTL period [...] this value is rounded down to the nearest decisecond, any value
less than 100 will have no effect."
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest
from support.asked import workers_only
from support.factory import SocketFactory
from support.library import Socket, zmq
from support.links import LIBZMQ_KINDS, Link, free_port
from support.raw_peer import RawPeer, frame
from support.remote import PeerProcess
from support.waiting import wait_for

PONG = frame(b"\x04PONG", 4)
libzmq_only = pytest.mark.parametrize("link", LIBZMQ_KINDS, indirect=True)


def ping(deciseconds: int) -> tuple[int, bytes]:
    """Return flags and body of a PING with this time to live."""
    return 4, b"\x04PING" + deciseconds.to_bytes(2)


@contextmanager
def asleep(*pids: int) -> Iterator[None]:
    """Stop processes for a while, as if they hung; their connections stay as they are."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        for pid in pids:
            wait_for(lambda: psutil.Process(pid).status() == "stopped", "it is stopped")  # noqa: B023
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_a_ping_every_so_often(sockets: SocketFactory, endpoint: str) -> None:
    sockets.open(zmq.PULL, heartbeat_ivl=30, heartbeat_timeout=20_000, bind=endpoint)
    with RawPeer(endpoint) as peer:
        began = time.monotonic()
        peer.shake_hands(b"PUSH")
        for number in range(1, 6):
            assert peer.hear_frame() == ping(0)
            assert time.monotonic() - began >= number * 0.03
            peer.say(PONG)


def test_none_by_default(sockets: SocketFactory, endpoint: str) -> None:
    quiet = sockets.open(zmq.DEALER, bind=endpoint, heartbeat_timeout=20, heartbeat_ttl=500)
    lively = f"tcp://127.0.0.1:{free_port()}"
    sockets.open(zmq.PULL, heartbeat_ivl=10, heartbeat_timeout=20_000, bind=lively)
    with RawPeer(endpoint) as peer, RawPeer(lively) as other:
        peer.shake_hands(b"DEALER")
        other.shake_hands(b"PUSH")
        for _ in range(20):
            assert other.hear_frame() == ping(0)
        # Many a beat later it is still there, and has said nothing: a timeout alone is not valid.
        peer.say(frame(b"question"))
        assert quiet.recv() == b"question"
        quiet.send(b"answer")
        assert peer.hear_frame() == (0, b"answer")


@pytest.mark.parametrize(
    ("options", "least_ms"),
    [({"heartbeat_ivl": 40}, 80), ({"heartbeat_ivl": 20, "heartbeat_timeout": 100}, 120)],
    ids=["as long as the interval", "timeout"],
)
def test_silence_after_a_ping_ends_it(
    sockets: SocketFactory, endpoint: str, options: dict[str, int], least_ms: int
) -> None:
    sockets.open(zmq.PULL, bind=endpoint, **options)
    with RawPeer(endpoint) as peer:
        began = time.monotonic()
        peer.shake_hands(b"PUSH")
        assert peer.hear_frame() == ping(0)
        assert peer.is_hung_up()
        assert time.monotonic() - began >= least_ms / 1000


@pytest.mark.parametrize("traffic", [PONG, frame(b"message")], ids=["PONG", "message"])
def test_any_traffic_cancels_the_timeout(
    sockets: SocketFactory, endpoint: str, traffic: bytes
) -> None:
    pull = sockets.open(zmq.PULL, heartbeat_ivl=50, heartbeat_timeout=1_500, bind=endpoint)
    with RawPeer(endpoint) as peer:
        began = time.monotonic()
        peer.shake_hands(b"PUSH")
        while time.monotonic() - began < 2:  # longer than the timeout
            assert peer.hear_frame() == ping(0)
            peer.say(traffic)
        peer.say(frame(b"last"))
        while pull.recv() != b"last":
            pass


@pytest.mark.parametrize(
    ("ttl", "told"), [(0, 0), (99, 0), (100, 1), (1299, 12), (6_553_599, 65535)]
)
def test_the_peer_is_told_how_long_to_live(
    sockets: SocketFactory, endpoint: str, ttl: int, told: int
) -> None:
    sockets.open(zmq.PULL, heartbeat_ivl=10, heartbeat_ttl=ttl, bind=endpoint)
    with RawPeer(endpoint) as peer:
        peer.shake_hands(b"PUSH")
        assert peer.hear_frame() == ping(told)


def test_a_peer_has_as_long_to_live_as_it_says(sockets: SocketFactory, endpoint: str) -> None:
    sockets.open(zmq.PULL, bind=endpoint)
    with RawPeer(endpoint) as peer:
        peer.shake_hands(b"PUSH")
        began = time.monotonic()
        peer.say(frame(ping(1)[1], 4))
        assert peer.hear_frame() == (4, b"\x04PONG")
        assert peer.is_hung_up()
        assert time.monotonic() - began >= 0.1


@workers_only
@libzmq_only
def test_a_libzmq_that_hangs_is_noticed(link: Link, libzmq: PeerProcess, ears: Any) -> None:
    pull, push = link.pair(
        zmq.PULL,
        zmq.PUSH,
        {"heartbeat_ivl": 100, "heartbeat_timeout": 1_000},
        {"reconnect_ivl": 10},
    )
    push.send(b"hello")
    assert pull.recv() == b"hello"
    ear = ears(pull)
    with asleep(libzmq.pid):
        ear.until(zmq.EVENT_DISCONNECTED)
    push.send(b"one lost")  # it may not have noticed yet
    wait_for(lambda: (push.send(b"again"), pull.poll(10))[1], "it has come back")


@workers_only
@libzmq_only
def test_a_libzmq_with_a_time_to_live_too(link: Link, libzmq: PeerProcess, ears: Any) -> None:
    push, pull = link.pair(zmq.PUSH, zmq.PULL, {}, {"heartbeat_ivl": 50, "heartbeat_ttl": 500})
    push.send(b"hello")
    assert pull.recv() == b"hello"
    ear = ears(push)
    wait_for(lambda: is_heard_while_asleep(ear.socket, push, pull, libzmq.pid), "its time is up")
    assert ear.until(zmq.EVENT_DISCONNECTED)


def is_heard_while_asleep(ear: Socket, push: Socket, pull: Socket, *pids: int) -> bool:
    """Whether something is heard while processes are stopped for longer than the time to live.

    Before that, messages go to those who are stopped for some intervals, so that they have their
    turn and send a PING. Should they not, nobody is told of the time to live, and nothing is heard.
    """
    began = time.monotonic()
    while time.monotonic() - began < 0.3:
        push.send(b"busy")
        assert pull.recv() == b"busy"
    with asleep(*pids):
        return bool(ear.poll(2_000))


@workers_only
@libzmq_only
def test_libzmq_notices_that_we_hang(link: Link, libzmq: PeerProcess) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH, {"heartbeat_ivl": 50, "heartbeat_ttl": 500})
    push.send(b"hello")
    assert pull.recv() == b"hello"
    push.monitor("inproc://events", zmq.EVENT_DISCONNECTED)
    ear = libzmq.open(zmq.PAIR, connect="inproc://events")
    workers = [child.pid for child in psutil.Process().children() if is_worker(child)]
    wait_for(lambda: is_heard_while_asleep(ear, push, pull, *workers), "its time is up")
    head, _ = ear.recv_multipart()
    assert int.from_bytes(head[:2], "little") == zmq.EVENT_DISCONNECTED
    push.disable_monitor()


def is_worker(process: psutil.Process) -> bool:
    """Whether a process is an I/O worker."""
    return "shmzmq.workers" in process.cmdline()


@workers_only
@pytest.mark.parametrize("link", ["ipc-process"], indirect=True)
def test_who_shares_memory_is_sent_none(
    link: Link, peer: PeerProcess, sockets: SocketFactory, ears: Any
) -> None:
    """The kernel tells of a death there, and a pipe between two that live is not ended."""
    pull, push = link.pair(zmq.PULL, zmq.PUSH, {"heartbeat_ivl": 10, "heartbeat_timeout": 10})
    push.send(b"hello")
    assert pull.recv() == b"hello"
    ear = ears(pull)
    lively = f"tcp://127.0.0.1:{free_port()}"
    sockets.open(zmq.PULL, heartbeat_ivl=10, heartbeat_timeout=20_000, bind=lively)
    with RawPeer(lively) as other:
        other.shake_hands(b"PUSH")
        stopped = [peer.pid, *(each.pid for each in psutil.Process(peer.pid).children())]
        with asleep(*stopped):
            for _ in range(20):
                assert other.hear_frame() == ping(0)
    push.send(b"as if nothing had been")
    assert pull.recv() == b"as if nothing had been"
    assert not ear.socket.poll(0)
