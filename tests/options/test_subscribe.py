"""SUBSCRIBE: "Newly created ZMQ_SUB sockets shall filter out all incoming messages [...] An empty
option_value of length zero shall subscribe to all incoming messages. A non-empty option_value shall
subscribe to all messages beginning with the specified prefix. Multiple filters may be attached to a
single ZMQ_SUB socket, in which case a message shall be accepted if it matches at least one filter."

UNSUBSCRIBE: "The filter specified must match an existing filter [...] If the socket has several
instances of the same filter attached the ZMQ_UNSUBSCRIBE option shall remove only one instance,
leaving the rest in place and functional."

The publisher is an XPUB, who hears when a subscription has come; a topic of its own, END, shows
where what was sent ends.
"""

import pytest
from support.library import Socket, zmq
from support.links import Link

TOPICS = [b"", b"A", b"AB", b"B", b"\0", b"\xff\xfe"]


def met(link: Link, *topics: bytes) -> tuple[Socket, Socket]:
    """Return a publisher and a SUB at the far end, with these topics and END in force."""
    xpub, sub = link.pair(zmq.XPUB, zmq.SUB, {}, {"subscribe": [*topics, b"END"]})
    for _ in {*topics, b"END"}:
        xpub.recv()
    return xpub, sub


def passed(xpub: Socket, sub: Socket) -> list[bytes]:
    """Publish a message with each of TOPICS in front; return those that get through."""
    for topic in TOPICS:
        xpub.send(topic + b"!")
    xpub.send(b"END")
    return [message[:-1] for message in iter(sub.recv, b"END")]


@pytest.mark.parametrize(
    ("topics", "expected"),
    [
        ([], []),
        ([b""], TOPICS),
        ([b"A"], [b"A", b"AB"]),
        ([b"AB"], [b"AB"]),
        ([b"A", b"\0"], [b"A", b"AB", b"\0"]),
        ([b"\xff"], [b"\xff\xfe"]),
        ([b"ABC"], []),
        ([b"AB", b"A", b"AB"], [b"A", b"AB"]),
    ],
)
def test_a_message_must_begin_with_a_filter(
    link: Link, topics: list[bytes], expected: list[bytes]
) -> None:
    assert passed(*met(link, *topics)) == expected


def test_it_takes_effect_at_once(link: Link) -> None:
    xpub, sub = met(link)
    assert passed(xpub, sub) == []
    sub.setsockopt(zmq.SUBSCRIBE, b"B")
    assert xpub.recv() == b"\1B"
    assert passed(xpub, sub) == [b"B"]
    sub.setsockopt(zmq.UNSUBSCRIBE, b"B")
    assert xpub.recv() == b"\0B"
    assert passed(xpub, sub) == []


def test_unsubscribe_removes_one_instance(link: Link) -> None:
    xpub, sub = met(link, b"A", b"A")
    sub.setsockopt(zmq.UNSUBSCRIBE, b"A")
    assert passed(xpub, sub) == [b"A", b"AB"]
    sub.setsockopt(zmq.UNSUBSCRIBE, b"A")
    assert xpub.recv() == b"\0A"
    assert passed(xpub, sub) == []


def test_unsubscribe_must_match_an_existing_filter(link: Link) -> None:
    xpub, sub = met(link, b"A")
    for other in (b"", b"AB", b"a", b"nothing"):
        sub.setsockopt(zmq.UNSUBSCRIBE, other)
    assert passed(xpub, sub) == [b"A", b"AB"]


def test_with_the_subscriber_here(link: Link) -> None:
    endpoint = link.endpoint()
    xpub = link.far(zmq.XPUB, bind=endpoint)
    sub = link.near(zmq.SUB, connect=endpoint, subscribe=[b"B", b"END"])
    assert {xpub.recv(), xpub.recv()} == {b"\1B", b"\1END"}
    assert passed(xpub, sub) == [b"B"]
    sub.setsockopt(zmq.UNSUBSCRIBE, b"B")
    assert xpub.recv() == b"\0B"
    assert passed(xpub, sub) == []


@pytest.mark.parametrize("option", [zmq.SUBSCRIBE, zmq.UNSUBSCRIBE])
@pytest.mark.parametrize("kind", [zmq.PUB, zmq.XSUB, zmq.PULL, zmq.DEALER])
def test_only_a_sub_has_them(link: Link, kind: int, option: int) -> None:
    with pytest.raises(zmq.ZMQError) as failure:
        link.near(kind).setsockopt(option, b"A")
    assert failure.value.errno == zmq.EINVAL
