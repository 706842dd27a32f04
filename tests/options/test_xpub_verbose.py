"""XPUB_VERBOSE, XPUB_VERBOSER and XPUB_VERBOSE_UNSUBSCRIBE: what of subscriptions the user reads.

4.2.2: "If enabled, the socket passes all subscribe [VERBOSER: and unsubscribe] messages to the
caller." 4.2-dev has XPUB_VERBOSE_UNSUBSCRIBE instead: "This behaviour only takes effect when
ZMQ_XPUB_VERBOSE is also enabled."
"""

from typing import Any

import pytest
from support.library import Socket, ours_better, zmq
from support.links import Link

ALL_SUBSCRIBED = [b"\1a", b"\1a"]
ALL_CANCELLED = [b"\0a", b"\0a"]

# Options in the order in which they are set; what the user reads of two subscribers to one topic.
CASES: dict[str, tuple[dict[str, Any], list[bytes]]] = {
    "none": ({}, [b"\1a", b"\0a"]),
    "verbose": ({"xpub_verbose": 1}, [*ALL_SUBSCRIBED, b"\0a"]),
    "verboser": ({"xpub_verboser": 1}, [*ALL_SUBSCRIBED, *ALL_CANCELLED]),
    "verbose ends verboser": (
        {"xpub_verboser": 1, "xpub_verbose": 1},
        [*ALL_SUBSCRIBED, b"\0a"],
    ),
    "verboser off again": ({"xpub_verboser": [1, 0]}, [b"\1a", b"\0a"]),
}
CASES_OF_4_2_DEV: dict[str, tuple[dict[str, Any], list[bytes]]] = {
    "unsubscribe alone": ({"xpub_verbose_unsubscribe": 1}, [b"\1a", b"\0a"]),
    "unsubscribe with verbose": (
        {"xpub_verbose_unsubscribe": 1, "xpub_verbose": 1},
        [*ALL_SUBSCRIBED, *ALL_CANCELLED],
    ),
}


def what_is_read(link: Link, options: dict[str, Any]) -> list[bytes]:
    """Return what an XPUB reads while two subscribers come to "a" and leave it again."""
    endpoint = link.endpoint()
    xpub = link.near(zmq.XPUB, bind=endpoint, **options)
    subscribers = [link.far(zmq.XSUB, connect=endpoint) for _ in range(2)]
    read = []
    for number, topic in enumerate((b"\1a", b"\0a")):
        for index, subscriber in enumerate(subscribers):
            subscriber.send(topic)
            # A user's message behind it shows where what it caused ends.
            mark = b"mark %d %d" % (number, index)
            subscriber.send(mark)
            read += read_up_to(xpub, mark)
    return read


def read_up_to(xpub: Socket, mark: bytes) -> list[bytes]:
    """Return what is received before `mark`."""
    return list(iter(xpub.recv, mark))


@pytest.mark.parametrize("case", CASES)
def test_what_the_user_reads(link: Link, case: str) -> None:
    options, expected = CASES[case]
    assert what_is_read(link, options) == expected


@ours_better("the name of the 4.2-dev manual")
@pytest.mark.parametrize("case", CASES_OF_4_2_DEV)
def test_what_the_user_reads_by_the_4_2_dev_manual(link: Link, case: str) -> None:
    options, expected = CASES_OF_4_2_DEV[case]
    assert what_is_read(link, options) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, [b"\0a"]), ({"xpub_verbose": 1}, [b"\0a"]), ({"xpub_verboser": 1}, [b"\0a", b"\0a"])],
    ids=["none", "verbose", "verboser"],
)
def test_a_subscriber_that_goes_cancels_what_it_had(
    link: Link, options: dict[str, Any], expected: list[bytes]
) -> None:
    endpoint = link.endpoint()
    xpub = link.near(zmq.XPUB, bind=endpoint, **options)
    subscribers = []
    for index in range(2):
        subscribers.append(link.far(zmq.XSUB, connect=endpoint))
        subscribers[index].send(b"\1a")
        subscribers[index].send(b"subscribed")
        read_up_to(xpub, b"subscribed")
    subscribers[0].close()
    subscribers[1].close()
    assert [xpub.recv() for _ in expected] == expected
    last = link.far(zmq.XSUB, connect=endpoint)
    last.send(b"nothing else")
    assert xpub.recv() == b"nothing else"


def test_it_counts_for_subscriptions_that_come_after_it_was_set(link: Link) -> None:
    endpoint = link.endpoint()
    xpub = link.near(zmq.XPUB, bind=endpoint)
    subscriber = link.far(zmq.XSUB, connect=endpoint)
    subscriber.send(b"\1a")
    assert xpub.recv() == b"\1a"
    subscriber.send(b"\1a")
    subscriber.send(b"mark")
    assert xpub.recv() == b"mark"
    xpub.setsockopt(zmq.XPUB_VERBOSE, 1)
    subscriber.send(b"\1a")
    assert xpub.recv() == b"\1a"
