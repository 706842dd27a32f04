"""PAIR: one peer, both directions (socket manual, "Exclusive pair pattern"; RFC 31)."""

import contextlib

import pytest
from support.exchange import receive_until
from support.factory import SocketFactory
from support.library import zmq
from support.links import Link, ipc_only
from support.waiting import wait_for


def test_talks_in_both_directions(link: Link) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    for word in (b"one", b"two", b"three"):
        near.send(word)
        assert far.recv() == word
        far.send(word + b" back")
        assert near.recv() == word + b" back"


def test_keeps_the_order(link: Link) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    words = [b"%d" % number for number in range(500)]
    for word in words:
        near.send(word)
        far.send(word)
    assert [far.recv() for _ in words] == words
    assert [near.recv() for _ in words] == words


def test_may_send_many_times_without_receiving(link: Link) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    near.send(b"a")
    near.send(b"b")
    far.send(b"c")
    assert [far.recv(), far.recv(), near.recv()] == [b"a", b"b", b"c"]


def test_queues_before_the_peer_binds(link: Link) -> None:
    endpoint = link.endpoint()
    near = link.near(zmq.PAIR, connect=endpoint)
    near.send(b"early")
    far = link.far(zmq.PAIR, bind=endpoint)
    assert far.recv() == b"early"
    far.send(b"answer")
    assert near.recv() == b"answer"


def test_without_a_peer_sending_would_block(sockets: SocketFactory) -> None:
    pair = sockets.open(zmq.PAIR)
    with pytest.raises(zmq.Again):
        pair.send(b"nobody", zmq.NOBLOCK)
    assert not pair.poll(0, zmq.POLLOUT)


def test_hears_only_its_first_peer(link: Link) -> None:
    endpoint = link.endpoint()
    near = link.near(zmq.PAIR, bind=endpoint)
    first = link.far(zmq.PAIR, connect=endpoint)
    first.send(b"first")
    assert near.recv() == b"first"

    # The second one is turned away; what it sends in the meantime must not come through.
    second = link.far(zmq.PAIR, connect=endpoint)
    with contextlib.suppress(zmq.Again):  # it may know already
        second.send(b"intruder", zmq.NOBLOCK)
    near.send(b"for the first")
    assert first.recv() == b"for the first"
    first.send(b"last")
    assert receive_until(near, b"last") == []
    assert not second.poll(0)


@ipc_only
def test_takes_a_new_peer_when_the_first_is_gone(link: Link) -> None:
    endpoint = link.endpoint()
    near = link.near(zmq.PAIR, bind=endpoint)
    first = link.far(zmq.PAIR, connect=endpoint)
    first.send(b"first")
    assert near.recv() == b"first"
    first.close()

    # Whoever comes while the first is not quite gone would be turned away.
    wait_for(lambda: not near.poll(0, zmq.POLLOUT), "the first peer is gone")

    second = link.far(zmq.PAIR, connect=endpoint)
    near.send(b"anyone?")
    assert second.recv() == b"anyone?"
    second.send(b"second")
    assert near.recv() == b"second"


def test_messages_sent_before_closing_arrive(link: Link) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR, far={"linger": -1})
    far.send(b"hello")
    assert near.recv() == b"hello"
    for number in range(100):
        far.send(b"%d" % number)
    far.close()
    assert [near.recv() for _ in range(100)] == [b"%d" % number for number in range(100)]
