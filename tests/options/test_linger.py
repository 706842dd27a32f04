"""LINGER: "how long pending messages which have yet to be sent to a peer shall linger in memory
after a socket is disconnected [...] or closed [...], and further affects the termination of the
socket's context". -1: "infinite", 0: "discarded immediately", n: "an upper bound".
"""

import time

import pytest
from support.library import Context, ours_better, zmq
from support.links import Link, connections_only, inproc_only
from support.waiting import Background, wait_until_blocked


@pytest.fixture
def other_context(nothing_left: None) -> Context:
    """A context that the test itself ends."""
    return zmq.Context()


def close_with_a_message_left(context: Context, endpoint: str, linger: int) -> None:
    """Send one message to somebody who is not there, and close the socket."""
    push = context.socket(zmq.PUSH)
    push.setsockopt(zmq.LINGER, linger)
    push.connect(endpoint)
    push.send(b"left")
    push.close()


@connections_only
@pytest.mark.parametrize("linger", [-1, 60_000])
def test_what_is_left_outlives_the_socket(link: Link, other_context: Context, linger: int) -> None:
    endpoint = link.endpoint()
    close_with_a_message_left(other_context, endpoint, linger)
    ending = Background(other_context.term)
    wait_until_blocked(ending)  # term waits for it
    pull = link.far(zmq.PULL, bind=endpoint)
    assert pull.recv() == b"left"
    ending.result()


@connections_only
def test_zero_discards_it(link: Link, other_context: Context) -> None:
    endpoint = link.endpoint()
    close_with_a_message_left(other_context, endpoint, 0)
    other_context.term()
    pull = link.far(zmq.PULL, bind=endpoint)
    push = link.near(zmq.PUSH, connect=endpoint)
    push.send(b"first")
    assert pull.recv() == b"first"


@connections_only
def test_a_number_is_an_upper_bound(link: Link, other_context: Context) -> None:
    endpoint = link.endpoint()
    before = time.monotonic()
    close_with_a_message_left(other_context, endpoint, 100)
    other_context.term()
    assert time.monotonic() - before >= 0.1
    pull = link.far(zmq.PULL, bind=endpoint)
    push = link.near(zmq.PUSH, connect=endpoint)
    push.send(b"first")
    assert pull.recv() == b"first"


@connections_only
def test_disconnect_goes_by_it_too(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, connect=endpoint, linger=60_000)
    push.send(b"left")
    push.disconnect(endpoint)
    pull = link.far(zmq.PULL, bind=endpoint)
    assert pull.recv() == b"left"


@connections_only
def test_it_can_be_set_until_the_socket_is_closed(link: Link, other_context: Context) -> None:
    push = other_context.socket(zmq.PUSH)
    push.setsockopt(zmq.LINGER, -1)
    push.connect(link.endpoint())
    push.send(b"left")
    push.setsockopt(zmq.LINGER, 0)
    push.close()
    other_context.term()


@connections_only
def test_a_message_upstream_is_one_too(link: Link, other_context: Context) -> None:
    endpoint = link.endpoint()
    xsub = other_context.socket(zmq.XSUB)
    xsub.setsockopt(zmq.LINGER, 60_000)
    xsub.connect(endpoint)
    xsub.send(b"left")
    xsub.close()
    ending = Background(other_context.term)
    wait_until_blocked(ending)
    xpub = link.far(zmq.XPUB, bind=endpoint)
    assert xpub.recv() == b"left"
    ending.result()


@ours_better("libzmq waits for them in some cases")
@pytest.mark.parametrize("linger", [-1, None], ids=["set", "default"])
def test_subscriptions_are_not_waited_for(link: Link, linger: int | None) -> None:
    context = zmq.Context()
    for kind in (zmq.SUB, zmq.XSUB):
        socket = context.socket(kind)
        if linger is not None:
            socket.setsockopt(zmq.LINGER, linger)
        if kind == zmq.SUB:
            socket.setsockopt(zmq.SUBSCRIBE, b"")
        socket.connect(link.endpoint())
        if kind == zmq.XSUB:
            socket.send(b"\1")
        socket.close()
    context.term()  # or the test would run into its time limit


@inproc_only
@pytest.mark.parametrize("linger", [-1, 60_000])
def test_over_inproc_it_waits_for_the_name(link: Link, linger: int) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, connect=endpoint, linger=linger)
    push.send(b"left")
    push.close()
    pull = link.far(zmq.PULL, bind=endpoint)
    assert pull.recv() == b"left"


@ours_better("libzmq keeps what was sent over inproc, whatever LINGER says")
@inproc_only
@pytest.mark.parametrize("close", [True, False], ids=["close", "disconnect"])
def test_zero_discards_it_over_inproc_too(link: Link, close: bool) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, connect=endpoint, linger=0)
    push.send(b"left")
    if close:
        push.close()
    else:
        push.disconnect(endpoint)
    pull = link.far(zmq.PULL, bind=endpoint)
    link.near(zmq.PUSH, connect=endpoint).send(b"first")
    assert pull.recv() == b"first"
