"""ONLY_FIRST_SUBSCRIBE, XSUB_VERBOSE_UNSUBSCRIBE and TOPICS_COUNT, which libzmq has since 4.3.

"If set, only the first part of the multipart message is processed as subscribe/unsubscribe."
TOPICS_COUNT: the number of topics (prefixes) that are subscribed to.
"""

from support.library import draft, zmq
from support.links import Link, ours_only

PARTS = [b"message", b"\1A"]


def test_any_part_may_be_a_subscription(link: Link) -> None:
    xpub, xsub = link.pair(zmq.XPUB, zmq.XSUB)
    xsub.send_multipart(PARTS)
    assert {xpub.recv(), xpub.recv()} == {b"message", b"\1A"}
    xpub.send(b"A")
    assert xsub.recv() == b"A"


def test_only_the_first_part_of_an_xsub_and_an_xpub_that_say_so(link: Link) -> None:
    options = {"only_first_subscribe": 1}
    xpub, xsub = link.pair(zmq.XPUB, zmq.XSUB, options, options)
    xsub.send_multipart(PARTS)
    assert xpub.recv_multipart() == PARTS
    xsub.send(b"\1B")
    assert xpub.recv() == b"\1B"
    xpub.send(b"A: nobody has subscribed")
    xpub.send(b"B")
    assert xsub.recv() == b"B"


@draft
@ours_only
def test_an_xsub_may_pass_every_unsubscription(link: Link) -> None:
    xpub, xsub = link.pair(
        zmq.XPUB, zmq.XSUB, {"xpub_verboser": 1}, {"xsub_verbose_unsubscribe": 1}
    )
    for message in (b"\1A", b"\1A", b"\0A", b"\0A"):
        xsub.send(message)
        assert xpub.recv() == message


def test_by_default_an_xsub_passes_the_last_one(link: Link) -> None:
    xpub, xsub = link.pair(zmq.XPUB, zmq.XSUB, {"xpub_verboser": 1})
    for message in (b"\1A", b"\1A", b"\0A", b"\0A", b"mark"):
        xsub.send(message)
    assert [xpub.recv() for _ in range(4)] == [b"\1A", b"\1A", b"\0A", b"mark"]


def test_the_topics_are_counted(link: Link) -> None:
    topics = [b"A", b"B"]
    xpub, sub = link.pair(zmq.XPUB, zmq.SUB, {"xpub_verbose": 1}, {"subscribe": topics})
    assert sub.getsockopt(zmq.TOPICS_COUNT) == 2
    for _ in topics:
        xpub.recv()
    assert xpub.getsockopt(zmq.TOPICS_COUNT) == 2
    sub.setsockopt(zmq.UNSUBSCRIBE, b"B")
    assert xpub.recv() == b"\0B"
    assert (sub.getsockopt(zmq.TOPICS_COUNT), xpub.getsockopt(zmq.TOPICS_COUNT)) == (1, 1)
