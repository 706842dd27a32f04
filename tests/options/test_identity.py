"""IDENTITY (ROUTING_ID): the name by which a ROUTER knows its peer; "from 1 to 255 bytes". "If two
clients use the same identity when connecting to a ROUTER, the results shall depend on the
ZMQ_ROUTER_HANDOVER option" (see test_router_handover).
"""

import errno

import pytest
from support.library import zmq
from support.links import Link
from support.waiting import wait_for


@pytest.mark.parametrize("socket_type", [zmq.DEALER, zmq.REQ, zmq.ROUTER])
@pytest.mark.parametrize("name", [b"x", b"\1\0binary", b"n" * 255], ids=["one", "binary", "255"])
def test_a_router_knows_its_peer_by_it(link: Link, socket_type: int, name: bytes) -> None:
    options = {"routing_id": name, "probe_router": 1}
    router, peer = link.pair(zmq.ROUTER, socket_type, {}, options)
    assert router.recv_multipart() == [name, b""]
    if socket_type == zmq.DEALER:
        router.send_multipart([name, b"hello"])
        assert peer.recv() == b"hello"


def test_also_where_the_router_connects(link: Link) -> None:
    endpoint = link.endpoint()
    dealer = link.far(zmq.DEALER, bind=endpoint, identity=b"server")
    router = link.near(zmq.ROUTER, connect=endpoint, router_mandatory=1)

    def is_known() -> bool:
        try:
            router.send_multipart([b"server", b"request"])
        except zmq.ZMQError as error:
            if error.errno != errno.EHOSTUNREACH:
                raise
            router.poll(1)
            dealer.poll(1)
            return False
        return True

    wait_for(is_known, "the peer's name is known: it comes with the handshake")
    assert dealer.recv() == b"request"
    dealer.send(b"reply")
    assert router.recv_multipart() == [b"server", b"reply"]


def test_without_one_the_router_makes_it_up(link: Link) -> None:
    endpoint = link.endpoint()
    router = link.near(zmq.ROUTER, bind=endpoint)
    names = set()
    for _ in range(3):
        dealer = link.far(zmq.DEALER, connect=endpoint)
        dealer.send(b"hello")
        name, _ = router.recv_multipart()
        assert (len(name), name[:1]) == (5, b"\0")
        names.add(name)
    assert len(names) == 3


def test_of_two_with_one_name_the_second_waits_for_the_first_to_go(link: Link) -> None:
    endpoint = link.endpoint()
    router = link.near(zmq.ROUTER, bind=endpoint)
    first = link.far(zmq.DEALER, connect=endpoint, identity=b"same")
    first.send(b"first")
    assert router.recv_multipart() == [b"same", b"first"]
    second = link.far(zmq.DEALER, connect=endpoint, identity=b"same", reconnect_ivl=10)
    second.send(b"second")
    assert not router.poll(50)
    if zmq.__name__ == "shmzmq":
        # libzmq turns the second away for good; here it is heard in its turn.
        first.close()
        assert router.recv_multipart() == [b"same", b"second"]


def test_it_counts_for_connections_made_after_it_was_set(link: Link) -> None:
    router, dealer = link.pair(zmq.ROUTER, zmq.DEALER, {}, {"identity": b"before"})
    dealer.setsockopt(zmq.IDENTITY, b"after")
    assert dealer.getsockopt(zmq.IDENTITY) == b"after"
    dealer.send(b"hello")
    assert router.recv_multipart() == [b"before", b"hello"]
