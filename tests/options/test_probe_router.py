"""PROBE_ROUTER: "the socket will automatically send an empty message when a new connection is made
or accepted. You may set this on REQ, DEALER, or ROUTER sockets connected to a ROUTER socket."
"""

import pytest
from support.library import ours_better, zmq
from support.links import Link, ipc_only
from support.waiting import wait_for

PROBING = {"routing_id": b"peer", "probe_router": 1}


@pytest.mark.parametrize("socket_type", [zmq.REQ, zmq.DEALER, zmq.ROUTER])
def test_a_router_learns_of_a_peer_that_has_sent_nothing(link: Link, socket_type: int) -> None:
    router, peer = link.pair(zmq.ROUTER, socket_type, {}, PROBING)
    assert router.recv_multipart() == [b"peer", b""]
    if socket_type == zmq.DEALER:
        router.send_multipart([b"peer", b"hello"])
        assert peer.recv() == b"hello"


def test_the_probe_comes_before_all_else(link: Link) -> None:
    router, dealer = link.pair(zmq.ROUTER, zmq.DEALER, {}, PROBING)
    dealer.send(b"hello")
    assert router.recv_multipart() == [b"peer", b""]
    assert router.recv_multipart() == [b"peer", b"hello"]


def test_who_accepts_can_probe_too(link: Link) -> None:
    endpoint = link.endpoint()
    dealer = link.near(zmq.DEALER, bind=endpoint, **PROBING)
    router = link.far(zmq.ROUTER, connect=endpoint)
    # Whoever accepts may have to be inside a call to learn of its peer.
    wait_for(lambda: (dealer.poll(1), router.poll(1))[1], "the probe")
    assert router.recv_multipart() == [b"peer", b""]


def test_without_it_nothing_is_sent(link: Link) -> None:
    router, dealer = link.pair(zmq.ROUTER, zmq.DEALER, {}, {"routing_id": b"peer"})
    dealer.send(b"hello")
    assert router.recv_multipart() == [b"peer", b"hello"]


@ours_better("libzmq probes the first connection of a pipe only")
@ipc_only
def test_a_connection_made_anew_begins_with_a_probe_too(link: Link) -> None:
    endpoint = link.endpoint()
    dealer = link.far(zmq.DEALER, connect=endpoint, reconnect_ivl=10, **PROBING)
    for _ in range(2):
        router = link.near(zmq.ROUTER, bind=endpoint)
        wait_for(lambda: (dealer.poll(1), router.poll(1))[1], "the probe")  # noqa: B023
        assert router.recv_multipart() == [b"peer", b""]
        router.close()
