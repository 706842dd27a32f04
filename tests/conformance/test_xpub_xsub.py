"""XPUB and XSUB: subscriptions are messages, \\x01 or \\x00 and the topic (RFC 29)."""

import pytest
from support.exchange import receive_until
from support.factory import SocketFactory
from support.library import Socket, zmq
from support.links import Link


def _fence(xpub: Socket, sub: Socket) -> list[bytes]:
    """Return what the XPUB hears from a SUB up to now; everything before it is in force then."""
    sub.subscribe(b"fence")
    heard = receive_until(xpub, b"\x01fence")
    sub.unsubscribe(b"fence")
    assert xpub.recv() == b"\x00fence"
    return heard


def test_xpub_hears_each_topic(link: Link) -> None:
    xpub, sub = link.pair(zmq.XPUB, zmq.SUB, far={"subscribe": [b"a", b"", b"\0\1"]})
    # Which comes first when they travel together is nowhere promised.
    assert {xpub.recv() for _ in range(3)} == {b"\x01a", b"\x01", b"\x01\0\1"}
    sub.subscribe(b"later")
    assert xpub.recv() == b"\x01later"
    sub.unsubscribe(b"a")
    assert xpub.recv() == b"\x00a"


def test_a_topic_is_announced_once(link: Link) -> None:
    xpub, sub = link.pair(zmq.XPUB, zmq.SUB)
    for _ in range(3):
        sub.subscribe(b"a")
    assert _fence(xpub, sub) == [b"\x01a"]
    sub.unsubscribe(b"a")
    sub.unsubscribe(b"a")
    assert _fence(xpub, sub) == []
    sub.unsubscribe(b"a")
    assert _fence(xpub, sub) == [b"\x00a"]
    sub.unsubscribe(b"a")
    assert _fence(xpub, sub) == []


def test_only_the_first_and_the_last_subscriber_are_announced(link: Link) -> None:
    endpoint = link.endpoint()
    xpub = link.near(zmq.XPUB, bind=endpoint)
    first = link.far(zmq.SUB, connect=endpoint, subscribe=b"a")
    assert xpub.recv() == b"\x01a"
    second = link.far(zmq.SUB, connect=endpoint, subscribe=b"a")
    assert _fence(xpub, second) == []
    first.unsubscribe(b"a")
    assert _fence(xpub, first) == []
    xpub.send(b"a for the second")
    assert second.recv() == b"a for the second"
    second.unsubscribe(b"a")
    assert xpub.recv() == b"\x00a"


def test_a_subscriber_that_leaves_takes_its_topics_along(link: Link) -> None:
    endpoint = link.endpoint()
    xpub = link.near(zmq.XPUB, bind=endpoint)
    stays = link.far(zmq.SUB, connect=endpoint, subscribe=b"both")
    assert xpub.recv() == b"\x01both"
    leaves = link.far(zmq.SUB, connect=endpoint, subscribe=[b"both", b"x", b"y"])
    assert {xpub.recv(), xpub.recv()} == {b"\x01x", b"\x01y"}
    leaves.close()
    assert {xpub.recv(), xpub.recv()} == {b"\x00x", b"\x00y"}
    assert _fence(xpub, stays) == []


def test_xpub_sends_by_topic(link: Link) -> None:
    xpub, sub = link.pair(zmq.XPUB, zmq.SUB, far={"subscribe": b"a"})
    assert xpub.recv() == b"\x01a"
    for word in (b"b", b"a1", b"", b"a2"):
        xpub.send(word)
    assert [sub.recv(), sub.recv()] == [b"a1", b"a2"]


def test_xsub_subscribes_by_messages(link: Link) -> None:
    xpub, xsub = link.pair(zmq.XPUB, zmq.XSUB)
    xsub.send(b"\x01a")
    assert xpub.recv() == b"\x01a"
    for word in (b"b", b"a1"):
        xpub.send(word)
    assert xsub.recv() == b"a1"
    xsub.send(b"\x00a")
    assert xpub.recv() == b"\x00a"
    xsub.send(b"\x01b")
    assert xpub.recv() == b"\x01b"
    for word in (b"a2", b"b"):
        xpub.send(word)
    assert xsub.recv() == b"b"


def test_xsub_counts_its_subscriptions(link: Link) -> None:
    xpub, xsub = link.pair(zmq.XPUB, zmq.XSUB)
    xsub.send(b"\x01a")
    xsub.send(b"\x01a")
    xsub.send(b"\x00a")
    xsub.send(b"\x00never")
    xsub.send(b"\x01fence")
    assert receive_until(xpub, b"\x01fence") == [b"\x01a"]
    xpub.send(b"a")
    assert xsub.recv() == b"a"
    xsub.send(b"\x00a")
    assert xpub.recv() == b"\x00a"


def test_xsub_hears_a_plain_pub(link: Link) -> None:
    # PUB tells nobody about its subscribers, so the message is repeated until the subscription is
    # there.
    pub, xsub = link.pair(zmq.PUB, zmq.XSUB)
    xsub.send(b"\x01a")
    pub.send(b"a")
    while not xsub.poll(10):
        pub.send(b"b")
        pub.send(b"a")
    assert xsub.recv() == b"a"


def test_other_messages_travel_upstream(link: Link) -> None:
    xpub, xsub = link.pair(zmq.XPUB, zmq.XSUB)
    xsub.send(b"\x02question")
    xsub.send(b"text")
    assert [xpub.recv(), xpub.recv()] == [b"\x02question", b"text"]


def test_xsub_without_a_peer_drops(sockets: SocketFactory) -> None:
    xsub = sockets.open(zmq.XSUB)
    xsub.send(b"to nobody", zmq.NOBLOCK)
    xsub.send(b"\x01topic", zmq.NOBLOCK)


def test_subscriptions_made_before_connecting(link: Link) -> None:
    endpoint = link.endpoint()
    xsub = link.far(zmq.XSUB)
    xsub.send(b"\x01a")
    xsub.send(b"\x01b")
    xsub.send(b"\x00b")
    xsub.connect(endpoint)
    xpub = link.near(zmq.XPUB, bind=endpoint)
    xsub.send(b"\x01fence")
    assert receive_until(xpub, b"\x01fence") == [b"\x01a"]


def test_subscriptions_reach_every_publisher(link: Link) -> None:
    endpoints = [link.endpoint() for _ in range(4)]
    xpubs = [link.near(zmq.XPUB, bind=endpoint) for endpoint in endpoints]
    sub = link.far(zmq.SUB, connect=endpoints, subscribe=b"a")
    assert [xpub.recv() for xpub in xpubs] == [b"\x01a"] * 4
    for number, xpub in enumerate(xpubs):
        xpub.send(b"a%d" % number)
    assert sorted(sub.recv() for _ in xpubs) == [b"a0", b"a1", b"a2", b"a3"]


@pytest.mark.parametrize("length", [0, 1, 253, 254, 255, 256, 70_000])
def test_topics_of_any_length(link: Link, length: int) -> None:
    topic = bytes(number % 251 for number in range(length))
    xpub, sub = link.pair(zmq.XPUB, zmq.SUB, far={"subscribe": topic})
    assert xpub.recv() == b"\x01" + topic
    xpub.send(topic + b"!")
    assert sub.recv() == topic + b"!"
    sub.unsubscribe(topic)
    assert xpub.recv() == b"\x00" + topic


@pytest.mark.parametrize("length", [300, 3000, 70_000])
def test_topics_that_come_and_go(link: Link, length: int) -> None:
    xpub, sub = link.pair(zmq.XPUB, zmq.SUB, far={"subscribe": b"here"})
    assert xpub.recv() == b"\x01here"
    # Each is said in a message as long as the last, and often where that lay in memory.
    for number in range(50):
        topic = bytes([number]) * length
        sub.subscribe(topic)
        assert xpub.recv() == b"\x01" + topic
        sub.unsubscribe(topic)
        assert xpub.recv() == b"\x00" + topic


def test_many_topics(link: Link) -> None:
    topics = [b"%d." % number for number in range(1000)]
    xpub, sub = link.pair(zmq.XPUB, zmq.SUB, far={"subscribe": topics})
    assert {xpub.recv() for _ in topics} == {b"\x01" + topic for topic in topics}
    for topic in topics[::7]:
        xpub.send(b"x" + topic)
        xpub.send(topic)
        assert sub.recv() == topic


def test_xpub_is_always_ready_to_send(link: Link) -> None:
    xpub = link.near(zmq.XPUB, bind=link.endpoint())
    assert xpub.poll(0, zmq.POLLIN | zmq.POLLOUT) == zmq.POLLOUT
    xpub.send(b"nobody", zmq.NOBLOCK)
    with pytest.raises(zmq.Again):
        xpub.recv(zmq.NOBLOCK)
