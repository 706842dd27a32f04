"""XPUB_WELCOME_MSG: "a welcome message [that] will be recieved by subscriber when connecting.
Subscriber must subscribe to the Welcome message before connecting. Welcome message will also be
sent on reconnecting. [...] Use NULL and lenght of zero to disable".
"""

import pytest
from support.library import ours_better, zmq
from support.links import Link, ipc_only
from support.waiting import wait_for


def test_a_subscriber_is_welcomed_when_it_connects(link: Link) -> None:
    endpoint = link.endpoint()
    xpub = link.near(zmq.XPUB, bind=endpoint, xpub_verbose=1, xpub_welcome_msg=b"welcome")
    for _ in range(2):
        sub = link.far(zmq.SUB, connect=endpoint, subscribe=b"w")
        assert xpub.recv() == b"\1w"
        assert sub.recv() == b"welcome"


def test_it_comes_before_all_else(link: Link) -> None:
    xpub, sub = link.pair(zmq.XPUB, zmq.SUB, {"xpub_welcome_msg": b"welcome"}, {"subscribe": b""})
    assert xpub.recv() == b"\1"
    xpub.send(b"first")
    assert sub.recv() == b"welcome"
    assert sub.recv() == b"first"


@pytest.mark.parametrize("size", [3000, 50_000])
def test_however_long_it_is_what_follows_is_itself(link: Link, size: int) -> None:
    welcome, first = b"w" * size, b"f" * (size + 1)
    xpub, sub = link.pair(zmq.XPUB, zmq.SUB, {"xpub_welcome_msg": welcome}, {"subscribe": b""})
    assert xpub.recv() == b"\1"
    for message in (first, first + b"2"):
        xpub.send(message)
    assert [sub.recv() for _ in range(3)] == [welcome, first, first + b"2"]


def test_who_has_not_subscribed_to_it_does_not_get_it(link: Link) -> None:
    xpub, sub = link.pair(zmq.XPUB, zmq.SUB, {"xpub_welcome_msg": b"welcome"}, {"subscribe": b"A"})
    assert xpub.recv() == b"\1A"
    xpub.send(b"A")
    assert sub.recv() == b"A"


@pytest.mark.parametrize("nothing", [b"", None])
def test_an_empty_one_is_none(link: Link, nothing: bytes | None) -> None:
    endpoint = link.endpoint()
    xpub = link.near(zmq.XPUB, xpub_welcome_msg=b"welcome")
    if nothing is None and not hasattr(xpub, "options"):
        pytest.skip("pyzmq cannot pass NULL")
    xpub.setsockopt(zmq.XPUB_WELCOME_MSG, nothing)
    xpub.bind(endpoint)
    sub = link.far(zmq.SUB, connect=endpoint, subscribe=b"")
    assert xpub.recv() == b"\1"
    xpub.send(b"A")
    assert sub.recv() == b"A"


@ours_better("a name can be bound again at once; libzmq lets it go later")
@ipc_only
def test_it_is_sent_again_on_reconnecting(link: Link) -> None:
    endpoint = link.endpoint()
    sub = link.far(zmq.SUB, connect=endpoint, subscribe=b"", reconnect_ivl=10)
    for number in range(2):
        xpub = link.near(zmq.XPUB, bind=endpoint, xpub_welcome_msg=b"welcome %d" % number)
        wait_for(lambda: (xpub.poll(10), sub.poll(10))[1], "the subscriber is welcomed")  # noqa: B023
        assert sub.recv() == b"welcome %d" % number
        xpub.close()
