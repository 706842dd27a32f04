"""IMMEDIATE: "By default queues will fill on outgoing connections even if the connection has not
completed. [...] If this option is set to 1, messages shall be queued only to completed connections.
This will cause the socket to block if there are no other connections".
"""

import pytest
from support.library import zmq
from support.links import Link, connections_only
from support.waiting import wait_for


@connections_only
@pytest.mark.parametrize("socket_type", [zmq.PUSH, zmq.DEALER, zmq.REQ])
def test_nothing_is_queued_for_a_peer_that_is_not_there(link: Link, socket_type: int) -> None:
    push = link.near(socket_type, connect=link.endpoint(), immediate=1)
    assert not push.poll(0, zmq.POLLOUT)
    with pytest.raises(zmq.Again):
        push.send(b"nobody takes it", zmq.DONTWAIT)


@connections_only
def test_by_default_it_is_queued(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, connect=endpoint)
    push.send(b"early", zmq.DONTWAIT)
    pull = link.far(zmq.PULL, bind=endpoint)
    assert pull.recv() == b"early"


@connections_only
def test_send_waits_for_the_connection(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, connect=endpoint, immediate=1)
    pull = link.far(zmq.PULL, bind=endpoint)
    push.send(b"hello")
    assert pull.recv() == b"hello"


@connections_only
def test_only_the_peers_that_are_there_get_messages(link: Link) -> None:
    there, missing = link.endpoint(), link.endpoint()
    pull = link.far(zmq.PULL, bind=there)
    push = link.near(zmq.PUSH, connect=[missing, there], immediate=1)
    for number in range(10):
        push.send(b"%d" % number)
    assert [pull.recv() for _ in range(10)] == [b"%d" % number for number in range(10)]


@connections_only
def test_nor_for_a_peer_that_has_gone(link: Link) -> None:
    endpoint = link.endpoint()
    pull = link.far(zmq.PULL, bind=endpoint)
    push = link.near(zmq.PUSH, connect=endpoint, immediate=1)
    push.send(b"hello")
    assert pull.recv() == b"hello"
    pull.close()
    wait_for(lambda: not push.poll(1, zmq.POLLOUT), "the loss is noticed")
    pull = link.far(zmq.PULL, bind=endpoint)
    push.send(b"again")
    assert pull.recv() == b"again"


@connections_only
def test_it_counts_for_the_next_connect(link: Link) -> None:
    push = link.near(zmq.PUSH, connect=link.endpoint())
    push.setsockopt(zmq.IMMEDIATE, 1)
    push.send(b"queued", zmq.DONTWAIT)
