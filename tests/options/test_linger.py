"""LINGER: "how long pending messages which have yet to be sent to a peer shall linger in memory
after a socket is disconnected [...] or closed [...], and further affects the termination of the
socket's context". -1: "infinite", 0: "discarded immediately", n: "an upper bound".
"""

import time

import pytest
from support.library import Context, zmq
from support.links import Link, ipc_only
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


@ipc_only
@pytest.mark.parametrize("linger", [-1, 60_000])
def test_what_is_left_outlives_the_socket(link: Link, other_context: Context, linger: int) -> None:
    endpoint = link.endpoint()
    close_with_a_message_left(other_context, endpoint, linger)
    ending = Background(other_context.term)
    wait_until_blocked(ending)  # term waits for it
    pull = link.far(zmq.PULL, bind=endpoint)
    assert pull.recv() == b"left"
    ending.result()


@ipc_only
def test_zero_discards_it(link: Link, other_context: Context) -> None:
    endpoint = link.endpoint()
    close_with_a_message_left(other_context, endpoint, 0)
    other_context.term()
    pull = link.far(zmq.PULL, bind=endpoint)
    push = link.near(zmq.PUSH, connect=endpoint)
    push.send(b"first")
    assert pull.recv() == b"first"


@ipc_only
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


@ipc_only
def test_disconnect_goes_by_it_too(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, connect=endpoint, linger=60_000)
    push.send(b"left")
    push.disconnect(endpoint)
    pull = link.far(zmq.PULL, bind=endpoint)
    assert pull.recv() == b"left"


@ipc_only
def test_it_can_be_set_until_the_socket_is_closed(link: Link, other_context: Context) -> None:
    push = other_context.socket(zmq.PUSH)
    push.setsockopt(zmq.LINGER, -1)
    push.connect(link.endpoint())
    push.send(b"left")
    push.setsockopt(zmq.LINGER, 0)
    push.close()
    other_context.term()
