"""XPUB_NODROP: "A value of 1 returns an EAGAIN error code if the SNDHWM is reached and
ZMQ_DONTWAIT was used"; 0 "drops the message silently". For XPUB and PUB.
"""

import itertools

import pytest
from support.library import Socket, zmq
from support.links import Link, local_only
from support.waiting import PATIENCE_MS, Background, wait_for, wait_until_blocked

MARKS = {"sndhwm": 5, "linger": 0}
# Over tcp the kernel takes megabytes before there is no room.
PADDING = b"." * 20_000


def fill(publisher: Socket, topic: bytes = b"") -> int:
    """Publish until there has been no room for a while; return how many were sent."""
    publisher.setsockopt(zmq.SNDTIMEO, 50)
    try:
        for sent in itertools.count():
            publisher.send(topic + b"%d" % sent + PADDING)
    except zmq.Again:
        publisher.setsockopt(zmq.SNDTIMEO, PATIENCE_MS)
    return sent


def publish_to(link: Link, socket_type: int) -> tuple[Socket, Socket]:
    """Return a publisher and a subscriber to everything, which is known to be subscribed."""
    endpoint = link.endpoint()
    publisher = link.near(socket_type, bind=endpoint, **MARKS)
    subscriber = link.far(zmq.SUB, connect=endpoint, rcvhwm=5, subscribe=b"")
    while not subscriber.poll(1):
        publisher.send(b"are you there")
    publisher.send(b"yes")
    while subscriber.recv() != b"yes":
        pass
    return publisher, subscriber


def publish_without_loss(link: Link, socket_type: int) -> tuple[Socket, Socket]:
    """Return the same two sockets, from now on with XPUB_NODROP."""
    publisher, subscriber = publish_to(link, socket_type)
    publisher.setsockopt(zmq.XPUB_NODROP, 1)
    return publisher, subscriber


@pytest.mark.parametrize("socket_type", [zmq.XPUB, zmq.PUB])
def test_a_full_subscriber_makes_the_publisher_wait_and_nothing_is_lost(
    link: Link, socket_type: int
) -> None:
    publisher, subscriber = publish_without_loss(link, socket_type)
    sent = fill(publisher)
    assert sent >= 5
    received = [subscriber.recv() for _ in range(sent)]
    assert received == [b"%d" % number + PADDING for number in range(sent)]
    publisher.send(b"room again")
    assert subscriber.recv() == b"room again"


def test_without_it_the_message_is_dropped(link: Link) -> None:
    publisher, subscriber = publish_to(link, zmq.XPUB)
    count = 50_000
    for number in range(count):
        publisher.send(b"%d" % number, zmq.DONTWAIT)
    received = 0
    while subscriber.recv() != b"end":
        received += 1
        while not subscriber.poll(1):
            publisher.send(b"end")  # may be dropped, too, until it is known that there is room
    assert 5 <= received < count


@local_only
def test_send_waits_for_room(link: Link) -> None:
    publisher, subscriber = publish_without_loss(link, zmq.XPUB)
    sent = fill(publisher)
    waiting = Background(lambda: publisher.send(b"waited"))
    wait_until_blocked(waiting)
    received = [subscriber.recv() for _ in range(sent + 1)]
    waiting.result()
    assert received[-1] == b"waited"


def test_send_gives_up_after_sndtimeo(link: Link) -> None:
    publisher, _ = publish_without_loss(link, zmq.XPUB)
    fill(publisher)
    publisher.setsockopt(zmq.SNDTIMEO, 20)

    def gives_up() -> bool:
        try:
            publisher.send(b"no room")
        except zmq.Again:
            return True
        return False  # on a busy machine a little room may still come from the network

    wait_for(gives_up, "the publisher has no room")


def test_only_a_subscriber_to_this_topic_is_waited_for(link: Link) -> None:
    endpoint = link.endpoint()
    publisher = link.near(zmq.XPUB, bind=endpoint, xpub_nodrop=1, **MARKS)
    full, other = (link.far(zmq.XSUB, connect=endpoint, rcvhwm=5) for _ in range(2))
    full.send(b"\1full")
    assert publisher.recv() == b"\1full"
    other.send(b"\1other")
    assert publisher.recv() == b"\1other"
    fill(publisher, b"full")
    publisher.send(b"other", zmq.DONTWAIT)
    assert other.recv() == b"other"


def test_a_full_subscriber_that_goes_is_not_waited_for(link: Link) -> None:
    publisher, subscriber = publish_without_loss(link, zmq.XPUB)
    fill(publisher)
    subscriber.close()
    assert publisher.recv() == b"\1"
    assert publisher.recv() == b"\0"
    publisher.send(b"nobody is left", zmq.DONTWAIT)
