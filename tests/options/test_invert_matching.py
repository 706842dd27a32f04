"""INVERT_MATCHING: "On PUB and XPUB sockets, this causes messages to be sent to all connected
sockets except those subscribed to a prefix that matches the message. On SUB sockets, this causes
only incoming messages that do not match any of the socket's subscriptions to be received."
"""

import pytest
from support.library import zmq
from support.links import Link

INVERTED = {"invert_matching": 1}


def test_all_but_the_subscribed_get_the_message(link: Link) -> None:
    endpoint = link.endpoint()
    xpub = link.near(zmq.XPUB, bind=endpoint, **INVERTED)
    plain = link.far(zmq.XSUB, connect=endpoint)
    plain.send(b"\1A")
    assert xpub.recv() == b"\1A"
    xpub.send(b"A: to nobody")
    xpub.send(b"B: to those who want A")
    assert plain.recv() == b"B: to those who want A"


def test_who_has_subscribed_to_nothing_gets_everything(link: Link) -> None:
    xpub, xsub = link.pair(zmq.XPUB, zmq.XSUB, INVERTED)
    xsub.send(b"a message tells that it is there")
    assert xpub.recv() == b"a message tells that it is there"
    xpub.send(b"anything")
    assert xsub.recv() == b"anything"


@pytest.mark.parametrize("publisher_type", [zmq.XPUB, zmq.PUB])
def test_a_sub_receives_only_what_does_not_match(link: Link, publisher_type: int) -> None:
    endpoint = link.endpoint()
    publisher = link.near(publisher_type, bind=endpoint, **INVERTED)
    sub = link.far(zmq.SUB, connect=endpoint, subscribe=b"A", **INVERTED)
    # Before the subscription is there, everything is sent; the SUB leaves out the rest itself.
    while not sub.poll(1):
        publisher.send(b"A: not for this one")
        publisher.send(b"B")
    publisher.send_multipart([b"A", b"B"])
    publisher.send_multipart([b"B", b"A: only the first part is the topic"])
    while (message := sub.recv_multipart()) == [b"B"]:
        pass
    assert message == [b"B", b"A: only the first part is the topic"]
