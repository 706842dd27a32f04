"""XPUB_MANUAL: "subscription requests are not added to the subscription list. To add subscription
the user need to call setsockopt with ZMQ_SUBSCRIBE on XPUB socket." XPUB_MANUAL_LAST_VALUE besides.
"""

import pytest
from support.library import draft, zmq
from support.links import Link


def test_a_request_alone_subscribes_to_nothing(link: Link) -> None:
    xpub, sub = link.pair(zmq.XPUB, zmq.SUB, {"xpub_manual": 1}, {"subscribe": b"A"})
    assert xpub.recv() == b"\1A"
    xpub.send(b"A not granted")
    xpub.setsockopt(zmq.SUBSCRIBE, b"A")
    xpub.send(b"A granted")
    assert sub.recv() == b"A granted"


def test_another_topic_may_be_granted_than_was_asked_for(link: Link) -> None:
    xpub, xsub = link.pair(zmq.XPUB, zmq.XSUB, {"xpub_manual": 1})
    xsub.send(b"\1A")
    assert xpub.recv() == b"\1A"
    xpub.setsockopt(zmq.SUBSCRIBE, b"XA")
    xpub.send(b"A")
    xpub.send(b"XA")
    assert xsub.recv() == b"XA"


def test_the_grant_is_for_the_peer_whose_request_was_read_last(link: Link) -> None:
    endpoint = link.endpoint()
    xpub = link.near(zmq.XPUB, bind=endpoint, xpub_manual=1)
    subscribers = []
    for topic in (b"A", b"B"):
        subscribers.append(link.far(zmq.SUB, connect=endpoint, subscribe=b""))
        assert xpub.recv() == b"\1"
        xpub.setsockopt(zmq.SUBSCRIBE, topic)
    xpub.send(b"B")
    xpub.send(b"A")
    assert subscribers[0].recv() == b"A"
    assert subscribers[1].recv() == b"B"


def test_unsubscribe_takes_a_grant_back(link: Link) -> None:
    xpub, xsub = link.pair(zmq.XPUB, zmq.XSUB, {"xpub_manual": 1})
    xsub.send(b"\1A")
    assert xpub.recv() == b"\1A"
    xpub.setsockopt(zmq.SUBSCRIBE, b"A")
    xpub.setsockopt(zmq.SUBSCRIBE, b"B")
    xsub.send(b"\0A")
    assert xpub.recv() == b"\0A"
    xpub.send(b"A still granted")
    assert xsub.recv() == b"A still granted"
    xpub.setsockopt(zmq.UNSUBSCRIBE, b"A")
    xpub.send(b"A no more")
    xpub.send(b"B")
    assert xsub.recv() == b"B"


def test_every_request_is_read_also_a_second_one_for_a_topic(link: Link) -> None:
    xpub, xsub = link.pair(zmq.XPUB, zmq.XSUB, {"xpub_manual": 1})
    for _ in range(2):
        xsub.send(b"\1A")
        assert xpub.recv() == b"\1A"
        xpub.setsockopt(zmq.SUBSCRIBE, b"A")


def test_who_goes_cancels_what_it_asked_for_not_what_it_was_granted(link: Link) -> None:
    endpoint = link.endpoint()
    xpub = link.near(zmq.XPUB, bind=endpoint, xpub_manual=1)
    for _ in range(2):
        xsub = link.far(zmq.XSUB, connect=endpoint)
        xsub.send(b"\1A")
        assert xpub.recv() == b"\1A"
        xpub.setsockopt(zmq.SUBSCRIBE, b"granted")
        xsub.close()
        assert xpub.recv() == b"\0A"


def test_without_manual_mode_the_user_cannot_subscribe_for_a_peer(link: Link) -> None:
    xpub = link.near(zmq.XPUB)
    with pytest.raises(zmq.ZMQError) as failure:
        xpub.setsockopt(zmq.SUBSCRIBE, b"A")
    assert failure.value.errno == zmq.EINVAL


@draft
def test_last_value_sends_the_next_message_to_the_asking_peer_only(link: Link) -> None:
    endpoint = link.endpoint()
    xpub = link.near(zmq.XPUB, bind=endpoint, xpub_manual_last_value=1)
    subscribers = []
    for number in range(2):
        subscribers.append(link.far(zmq.SUB, connect=endpoint, subscribe=b"A"))
        assert xpub.recv() == b"\1A"
        xpub.setsockopt(zmq.SUBSCRIBE, b"A")
        xpub.send(b"A last value for %d" % number)
    xpub.send(b"A for all")
    for number, subscriber in enumerate(subscribers):
        assert subscriber.recv() == b"A last value for %d" % number
        assert subscriber.recv() == b"A for all"
