"""PUSH and PULL: hand out in turn, collect fairly (socket manual, "Pipeline pattern"; RFC 30)."""

import pytest
from support.exchange import drain, meet
from support.factory import SocketFactory
from support.library import zmq
from support.links import Link
from support.waiting import Background


def test_delivers_in_order(link: Link) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH)
    words = [b"%d" % number for number in range(500)]
    for word in words:
        push.send(word)
    assert [pull.recv() for _ in words] == words


def test_either_side_may_bind(link: Link) -> None:
    push, pull = link.pair(zmq.PUSH, zmq.PULL)
    push.send(b"from the binder")
    assert pull.recv() == b"from the binder"


def test_connect_may_come_first(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, connect=endpoint)
    for number in range(10):
        push.send(b"%d" % number)
    pull = link.far(zmq.PULL, bind=endpoint)
    assert [pull.recv() for _ in range(10)] == [b"%d" % number for number in range(10)]


@pytest.mark.parametrize("connects", ["push", "pull"])
def test_distributes_evenly(link: Link, connects: str) -> None:
    endpoints = [link.endpoint() for _ in range(3)]
    if connects == "push":
        pulls = [link.far(zmq.PULL, bind=endpoint) for endpoint in endpoints]
        push = link.near(zmq.PUSH, connect=endpoints)
    else:
        push = link.near(zmq.PUSH, bind=endpoints)
        pulls = [link.far(zmq.PULL, connect=endpoint) for endpoint in endpoints]
        meet(push, pulls)
    for number in range(30):
        push.send(b"%d" % number)
    shares = [[int(pull.recv()) for _ in range(10)] for pull in pulls]
    # Each receiver has every third message, in order, and nothing was sent twice.
    assert all(share == list(range(share[0], 30, 3)) for share in shares)
    assert {share[0] for share in shares} == {0, 1, 2}


def test_passes_over_a_full_peer(link: Link) -> None:
    absent, present = link.endpoint(), link.endpoint()
    pull = link.far(zmq.PULL, bind=present)
    push = link.near(zmq.PUSH, connect=[absent, present], sndhwm=10)
    for number in range(20):
        push.send(b"%d" % number)
    assert [pull.recv() for _ in range(10)] == [b"%d" % number for number in range(1, 20, 2)]
    # The pipe to the absent peer is full by now, so everything goes to the present one.
    for number in range(20, 100):
        push.send(b"%d" % number)
        assert pull.recv() == b"%d" % number
    # The absent peer still gets its share when it comes.
    late = link.far(zmq.PULL, bind=absent)
    assert [late.recv() for _ in range(10)] == [b"%d" % number for number in range(0, 20, 2)]


def test_all_parts_of_a_message_go_to_one_peer(link: Link) -> None:
    endpoints = [link.endpoint(), link.endpoint()]
    pulls = [link.far(zmq.PULL, bind=endpoint) for endpoint in endpoints]
    push = link.near(zmq.PUSH, connect=endpoints)
    for number in range(10):
        push.send_multipart([b"%d" % number, b"middle", b"end"])
    for turn, pull in enumerate(pulls):
        received = [pull.recv_multipart() for _ in range(5)]
        assert received == [[b"%d" % n, b"middle", b"end"] for n in range(turn, 10, 2)]


def test_collects_in_turn(link: Link) -> None:
    if link.takes_time:
        pytest.skip("nothing says when what was sent has arrived")
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL, bind=endpoint)
    pushes = [link.far(zmq.PUSH, connect=endpoint) for _ in range(3)]
    for push in pushes:
        push.send(b"hello")
    assert [pull.recv() for _ in pushes] == [b"hello"] * 3
    for name, push in zip((b"a", b"b", b"c"), pushes, strict=True):
        for _ in range(20):
            push.send(name)
    received = [pull.recv() for _ in range(60)]
    turns = [sorted(received[start : start + 3]) for start in range(0, 60, 3)]
    assert turns == [[b"a", b"b", b"c"]] * 20


def test_a_flood_does_not_starve_a_quiet_peer(link: Link) -> None:
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL, bind=endpoint, rcvhwm=100)
    flooding = link.near(zmq.PUSH, connect=endpoint, sndhwm=100)
    quiet = link.far(zmq.PUSH, connect=endpoint)
    quiet.send(b"quiet, first")
    assert pull.recv() == b"quiet, first"
    quiet.send(b"quiet")
    # The flood only ends when the quiet message has come through.
    while True:
        flooding.send(b"flood")
        flooding.send(b"flood")
        if pull.recv() == b"quiet":
            break


def test_many_senders(link: Link) -> None:
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL, bind=endpoint)
    for number in range(50):
        push = link.far(zmq.PUSH, connect=endpoint)
        push.send(b"%d" % number)
        push.send(b"%d" % number)
    received = sorted(int(pull.recv()) for _ in range(100))
    assert received == sorted([*range(50), *range(50)])
    assert drain(pull) == []


def test_one_socket_serves_several_endpoints(sockets: SocketFactory, link: Link) -> None:
    other = "inproc://other"
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL, bind=[endpoint, other])
    far = link.far(zmq.PUSH, connect=endpoint)
    near = sockets.open(zmq.PUSH, connect=other)
    far.send(b"far")
    assert pull.recv() == b"far"
    near.send(b"near")
    assert pull.recv() == b"near"


@pytest.mark.parametrize("role", ["bound", "unconnected"])
def test_without_a_peer_sending_would_block(link: Link, role: str) -> None:
    push = link.near(zmq.PUSH, bind=link.endpoint() if role == "bound" else ())
    with pytest.raises(zmq.Again):
        push.send(b"nobody", zmq.NOBLOCK)
    assert not push.poll(0, zmq.POLLOUT)


def test_a_blocked_sender_goes_on_when_a_peer_comes(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, bind=endpoint, sndtimeo=-1)
    sending = Background(lambda: push.send(b"waited"))
    pull = link.far(zmq.PULL, connect=endpoint)
    assert pull.recv() == b"waited"
    sending.result()


def test_one_way_only(link: Link) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH)
    with pytest.raises(zmq.ZMQError) as caught:
        pull.send(b"x")
    assert caught.value.errno == zmq.ENOTSUP
    with pytest.raises(zmq.ZMQError) as caught:
        push.recv()
    assert caught.value.errno == zmq.ENOTSUP
    push.send(b"x")
    assert pull.poll()
    assert not pull.poll(0, zmq.POLLOUT)
    assert not push.poll(0, zmq.POLLIN)
