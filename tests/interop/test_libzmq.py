"""Every pattern between shmzmq and libzmq: what is sent on one side comes out on the other."""

import functools
import hashlib
from typing import Any

import pytest
from interop.conftest import Meeting
from support.exchange import settle
from support.waiting import wait_for

import shmzmq as zmq

SIZES = [0, 1, 253, 254, 255, 256, 257, 4096, 4097, 8191, 8192, 65536, 1 << 20]


@functools.cache
def body(size: int) -> bytes:
    """Return that many bytes of which no two stretches are alike."""
    return hashlib.shake_128(str(size).encode()).digest(size)


@pytest.mark.parametrize("size", [0, 64, 1000, 5000, 100_000])
def test_a_stream_of_messages_to_libzmq_in_order(meeting: Meeting, size: int) -> None:
    near, far = meeting.pair(zmq.PUSH, zmq.PULL)
    for round_ in range(0, 500, 100):
        for number in range(round_, round_ + 100):
            near.send_multipart([b"%d" % number, body(size)])
        for number in range(round_, round_ + 100):
            assert far.recv_multipart() == [b"%d" % number, body(size)]


@pytest.mark.parametrize("size", [0, 64, 1000, 5000, 100_000])
def test_a_stream_of_messages_from_libzmq_in_order(meeting: Meeting, size: int) -> None:
    near, far = meeting.pair(zmq.PULL, zmq.PUSH)
    for number in range(500):
        far.send_multipart([b"%d" % number, body(size)])
        if number % 2:
            assert near.recv_multipart() == [b"%d" % (number // 2), body(size)]
    for number in range(250, 500):
        assert near.recv_multipart() == [b"%d" % number, body(size)]


@pytest.mark.parametrize("ours", [zmq.PUB, zmq.XPUB])
@pytest.mark.parametrize("theirs", [zmq.SUB, zmq.XSUB])
def test_we_publish(meeting: Meeting, ours: int, theirs: int) -> None:
    near, far = meeting.pair(ours, theirs, far={"rcvhwm": 0})
    topics = [b"news", b"weather"]
    if theirs == zmq.SUB:
        for topic in topics:
            far.setsockopt(zmq.SUBSCRIBE, topic)
    else:
        for topic in topics:
            far.send(b"\x01" + topic)
    if ours == zmq.XPUB:
        if theirs == zmq.SUB:
            assert far.poll(0) == 0  # a socket of libzmq that binds acts when it is used
        heard = set()
        while heard != {b"\x01news", b"\x01weather"}:
            far.poll(1)
            if near.poll(10):
                heard.add(near.recv())
    else:
        far.poll(0)
        for topic in topics:
            until_heard(near, far, topic)
    for size in SIZES:
        near.send_multipart([b"sport", body(size)])
        near.send_multipart([b"news today", body(size)])
        near.send_multipart([b"weather", b"", body(size)])
        assert far.recv_multipart() == [b"news today", body(size)]
        assert far.recv_multipart() == [b"weather", b"", body(size)]


def until_heard(publisher: Any, subscriber: Any, topic: bytes) -> None:
    """Publish *topic* until it comes through, and nothing of it is under way."""
    sent = received = 0

    def heard() -> bool:
        nonlocal sent, received
        publisher.send(topic)
        sent += 1
        return bool(subscriber.poll(10))

    wait_for(heard, f"{topic!r} comes through")
    last = topic + b" last"
    publisher.send(last)
    while subscriber.recv() != last:
        pass


@pytest.mark.parametrize("ours", [zmq.SUB, zmq.XSUB])
@pytest.mark.parametrize("theirs", [zmq.PUB, zmq.XPUB])
def test_we_subscribe(meeting: Meeting, ours: int, theirs: int) -> None:
    near, far = meeting.pair(ours, theirs)
    if ours == zmq.SUB:
        near.subscribe(b"news")
    else:
        near.send(b"\x01news")
    if theirs == zmq.XPUB:
        assert heard_from(near, far) == b"\x01news"
    else:
        until_heard(far, near, b"news")
    for size in SIZES:
        far.send_multipart([b"sport", body(size)])
        far.send_multipart([b"news today", body(size)])
        assert near.recv_multipart() == [b"news today", body(size)]
    if ours == zmq.SUB:
        near.unsubscribe(b"news")
    else:
        near.send(b"\x00news")
    if theirs == zmq.XPUB:
        assert far.recv() == b"\x00news"


def heard_from(near: Any, far: Any) -> Any:
    """Receive what *near* says; a socket that is bound acts upon its new peers when it is used."""
    wait_for(lambda: near.poll(1) or far.poll(10), "something is said")
    return far.recv()


def test_subscriptions_come_and_go(meeting: Meeting) -> None:
    near, far = meeting.pair(zmq.PUB, zmq.SUB)
    settle(near, far)
    far.subscribe(b"a")
    settle(near, far)
    near.send(b"b1")
    near.send(b"a1")
    assert far.recv() == b"a1"
    far.unsubscribe(b"a")
    far.subscribe(b"b")
    settle(near, far)
    near.send(b"a2")
    near.send(b"b2")
    assert far.recv() == b"b2"


def test_an_xsub_of_ours_talks_to_an_xpub(meeting: Meeting) -> None:
    near, far = meeting.pair(zmq.XSUB, zmq.XPUB)
    near.send(b"\x01")
    assert heard_from(near, far) == b"\x01"
    near.send_multipart([b"hello", b"\x01no subscription"])
    assert far.recv_multipart() == [b"hello", b"\x01no subscription"]
    far.send(b"anything")
    assert near.recv() == b"anything"


def test_what_is_known_of_the_peer(meeting: Meeting) -> None:
    near, far = meeting.pair(
        zmq.DEALER,
        zmq.ROUTER,
        {"routing_id": b"near", "metadata": b"X-Colour:blue"},
        {"routing_id": b"far"},
    )
    near.send(b"hello")
    assert far.recv_multipart() == [b"near", b"hello"]
    far.send_multipart([b"near", b"answer"])
    frame = near.recv(copy=False)
    assert frame.bytes == b"answer"
    assert frame["Socket-Type"] == "ROUTER"
    assert frame.get("Identity") == "far"
    address = frame["Peer-Address"]
    if meeting.endpoint.startswith("ipc"):
        assert address == f"localhost:0:0:{meeting.process.pid}"
    else:
        assert address in ("127.0.0.1", "::1")
    with pytest.raises(zmq.ZMQError):
        frame.get("X-Shmzmq")
