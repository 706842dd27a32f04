"""ROUTER_MANDATORY: "A value of 1 returns an EHOSTUNREACH error code if the message cannot be
routed" and EAGAIN "if the SNDHWM is reached"; 0 "discards the message silently".
"""

import errno
import itertools

import pytest
from support.library import zmq
from support.links import Link


def test_an_unknown_peer_is_an_error(link: Link) -> None:
    router = link.near(zmq.ROUTER, bind=link.endpoint(), router_mandatory=1)
    with pytest.raises(zmq.ZMQError) as failure:
        router.send_multipart([b"nobody", b"hello"])
    assert failure.value.errno == errno.EHOSTUNREACH


def test_by_default_the_message_is_dropped(link: Link) -> None:
    router, dealer = link.pair(zmq.ROUTER, zmq.DEALER, {}, {"routing_id": b"peer"})
    router.send_multipart([b"nobody", b"lost"])
    dealer.send(b"hello")
    assert router.recv_multipart() == [b"peer", b"hello"]
    router.send_multipart([b"peer", b"found"])
    assert dealer.recv() == b"found"


def test_it_takes_effect_at_once(link: Link) -> None:
    router = link.near(zmq.ROUTER, bind=link.endpoint())
    router.send_multipart([b"nobody", b"lost"])
    router.setsockopt(zmq.ROUTER_MANDATORY, 1)
    with pytest.raises(zmq.ZMQError, match=r"nobody|unreachable"):
        router.send_multipart([b"nobody", b"hello"])


def test_a_full_peer_is_waited_for(link: Link) -> None:
    router, dealer = link.pair(
        zmq.ROUTER,
        zmq.DEALER,
        {"router_mandatory": 1, "sndhwm": 2, "sndtimeo": 50},
        {"routing_id": b"peer", "rcvhwm": 2},
    )
    dealer.send(b"hello")
    assert router.recv_multipart() == [b"peer", b"hello"]
    sent = 0
    padding = b"." * 20_000  # over tcp the kernel takes megabytes before there is no room
    with pytest.raises(zmq.Again):  # noqa: PT012 - it is the last of many that is refused
        for sent in itertools.count():
            router.send_multipart([b"peer", b"%d" % sent + padding])
    for number in range(sent):
        assert dealer.recv() == b"%d" % number + padding
