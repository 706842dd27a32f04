"""PUB and SUB: topics by prefix (socket manual, "Publish-subscribe pattern"; RFC 29)."""

import pytest
from support.exchange import receive_until, settle, unique
from support.factory import SocketFactory
from support.library import Socket, zmq
from support.links import Link

WORDS = [b"", b"a", b"ab", b"abc", b"b", b"ba", b"\0", b"\0a", b"\xff"]


@pytest.mark.parametrize(
    ("topics", "wanted"),
    [
        ([b""], WORDS),
        ([b"a"], [b"a", b"ab", b"abc"]),
        ([b"ab", b"ba"], [b"ab", b"abc", b"ba"]),
        ([b"a", b"ab", b"abc"], [b"a", b"ab", b"abc"]),  # matching thrice is still one message
        ([b"abcd"], []),
        ([b"\0"], [b"\0", b"\0a"]),
        ([b"\xff"], [b"\xff"]),
        ([b"", b"a"], WORDS),
    ],
)
def test_delivers_what_begins_with_a_topic(
    link: Link, topics: list[bytes], wanted: list[bytes]
) -> None:
    pub, sub = link.pair(zmq.PUB, zmq.SUB, far={"subscribe": topics})
    settle(pub, sub)
    last = unique("last")
    sub.subscribe(last)
    settle(pub, sub)
    for word in [*WORDS, last]:
        pub.send(word)
    assert receive_until(sub, last) == wanted


def _published(pub: Socket, sub: Socket, words: list[bytes]) -> list[bytes]:
    """Publish these words and return which of them the subscriber gets."""
    last = unique("last")
    sub.subscribe(last)
    settle(pub, sub)
    for word in [*words, last]:
        pub.send(word)
    return receive_until(sub, last)


def test_without_a_subscription_nothing_comes(link: Link) -> None:
    pub, sub = link.pair(zmq.PUB, zmq.SUB)
    assert _published(pub, sub, [b"", b"a"]) == []


def test_subscriptions_are_counted(link: Link) -> None:
    pub, sub = link.pair(zmq.PUB, zmq.SUB)
    sub.subscribe(b"a")
    sub.subscribe(b"a")
    assert _published(pub, sub, [b"a1"]) == [b"a1"]
    sub.unsubscribe(b"a")
    assert _published(pub, sub, [b"a2"]) == [b"a2"]
    sub.unsubscribe(b"a")
    assert _published(pub, sub, [b"a3"]) == []
    sub.subscribe(b"a")
    assert _published(pub, sub, [b"a4"]) == [b"a4"]


def test_unsubscribing_leaves_other_topics(link: Link) -> None:
    pub, sub = link.pair(zmq.PUB, zmq.SUB, far={"subscribe": [b"a", b"ab", b"b"]})
    sub.unsubscribe(b"a")
    assert _published(pub, sub, [b"a", b"ab", b"b"]) == [b"ab", b"b"]


def test_unsubscribing_what_was_not_subscribed_changes_nothing(link: Link) -> None:
    pub, sub = link.pair(zmq.PUB, zmq.SUB, far={"subscribe": b"a"})
    sub.unsubscribe(b"never")
    sub.unsubscribe(b"")
    sub.unsubscribe(b"aa")
    assert _published(pub, sub, [b"never", b"a"]) == [b"a"]


def test_topics_longer_than_a_short_frame(link: Link) -> None:
    topic = bytes(range(256)) * 4
    pub, sub = link.pair(zmq.PUB, zmq.SUB, far={"subscribe": topic})
    words = [topic, topic + b"more", topic[:-1], topic[:-1] + b"?"]
    assert _published(pub, sub, words) == words[:2]


def test_subscription_made_before_connecting(link: Link) -> None:
    endpoint = link.endpoint()
    sub = link.far(zmq.SUB)
    sub.subscribe(b"early")
    sub.connect(endpoint)
    pub = link.near(zmq.PUB, bind=endpoint)
    assert _published(pub, sub, [b"early", b"other"]) == [b"early"]


def test_only_the_first_part_is_matched(link: Link) -> None:
    pub, sub = link.pair(zmq.PUB, zmq.SUB, far={"subscribe": [b"a", b"last"]})
    settle(pub, sub)
    for message in ([b"b", b"a"], [b"a", b"b", b""], [b"", b"a"], [b"last"]):
        pub.send_multipart(message)
    assert [sub.recv_multipart(), sub.recv_multipart()] == [[b"a", b"b", b""], [b"last"]]


def test_publisher_without_subscribers_drops(link: Link) -> None:
    endpoint = link.endpoint()
    pub = link.near(zmq.PUB, bind=endpoint)
    for _ in range(5000):
        pub.send(b"nobody")
    sub = link.far(zmq.SUB, connect=endpoint, subscribe=b"")
    settle(pub, sub)
    pub.send(b"somebody")
    assert sub.recv() == b"somebody"


def test_each_subscriber_gets_what_it_asked_for(link: Link) -> None:
    endpoint = link.endpoint()
    pub = link.near(zmq.PUB, bind=endpoint)
    subs = [
        link.far(zmq.SUB, connect=endpoint, subscribe=[b"%d" % number, b"all"])
        for number in range(20)
    ]
    settle(pub, subs)
    for number in range(20):
        pub.send(b"%d" % number)
    pub.send(b"all")
    for number, sub in enumerate(subs):
        # "1" is a prefix of "10" to "19".
        wanted = [b"%d" % n for n in range(20) if str(n).startswith(str(number))]
        assert receive_until(sub, b"all") == wanted


def test_one_subscriber_hears_many_publishers(link: Link) -> None:
    endpoints = [link.endpoint() for _ in range(5)]
    pubs = [link.near(zmq.PUB, bind=endpoint) for endpoint in endpoints]
    sub = link.far(zmq.SUB, connect=endpoints, subscribe=b"n")
    settle(pubs, sub)
    for number, pub in enumerate(pubs):
        pub.send(b"n%d" % number)
    assert sorted(sub.recv() for _ in pubs) == [b"n%d" % number for number in range(5)]


def test_the_subscriber_may_bind(link: Link) -> None:
    sub, pub = link.pair(zmq.SUB, zmq.PUB, near={"subscribe": b"a"})
    assert _published(pub, sub, [b"b", b"a"]) == [b"a"]


def test_a_subscriber_that_leaves_does_not_disturb_the_others(link: Link) -> None:
    endpoint = link.endpoint()
    pub = link.near(zmq.PUB, bind=endpoint)
    stays = link.far(zmq.SUB, connect=endpoint, subscribe=b"")
    leaves = link.far(zmq.SUB, connect=endpoint, subscribe=b"")
    settle(pub, [stays, leaves])
    pub.send(b"both")
    assert [stays.recv(), leaves.recv()] == [b"both", b"both"]
    leaves.close()
    for number in range(50):
        pub.send(b"%d" % number)
        assert stays.recv() == b"%d" % number


def test_topics_as_text(link: Link) -> None:
    pub, sub = link.pair(zmq.PUB, zmq.SUB)
    sub.subscribe("grün")
    sub.set_string(zmq.SUBSCRIBE, "blau")
    assert _published(pub, sub, ["grün".encode(), b"blau", b"gr"]) == ["grün".encode(), b"blau"]
    sub.unsubscribe("grün")
    assert _published(pub, sub, ["grün".encode(), b"blau"]) == [b"blau"]


def test_one_way_only(link: Link) -> None:
    pub, sub = link.pair(zmq.PUB, zmq.SUB, far={"subscribe": b""})
    with pytest.raises(zmq.ZMQError) as caught:
        pub.recv(zmq.NOBLOCK)
    assert caught.value.errno == zmq.ENOTSUP
    with pytest.raises(zmq.ZMQError) as caught:
        sub.send(b"x", zmq.NOBLOCK)
    assert caught.value.errno == zmq.ENOTSUP
    assert pub.poll(0, zmq.POLLIN | zmq.POLLOUT) == zmq.POLLOUT
    settle(pub, sub)
    pub.send(b"x")
    assert sub.poll(None, zmq.POLLIN | zmq.POLLOUT) == zmq.POLLIN


@pytest.mark.parametrize("name", ["PUB", "XPUB", "XSUB", "PULL", "PAIR", "DEALER"])
def test_only_sub_has_topics(sockets: SocketFactory, name: str) -> None:
    socket = sockets.open(getattr(zmq, name))
    for option in (zmq.SUBSCRIBE, zmq.UNSUBSCRIBE):
        with pytest.raises(zmq.ZMQError) as caught:
            socket.setsockopt(option, b"topic")
        assert caught.value.errno == zmq.EINVAL
