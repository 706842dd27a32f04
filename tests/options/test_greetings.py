"""HELLO_MSG, DISCONNECT_MSG, HICCUP_MSG and ROUTER_NOTIFY, drafts of libzmq since 4.3.

HELLO_MSG is "sent to the peer when a connection is made". DISCONNECT_MSG: "when set, the socket
will generate a disconnect message when the peer has gone". HICCUP_MSG: the same when a connection
that was lost is made again. ROUTER_NOTIFY: a message "with an empty part" when a peer connects (1)
or disconnects (2).
"""

import pytest
from support.library import draft, zmq
from support.links import Link, ipc_only
from support.waiting import wait_for

pytestmark = draft

NAMED = {"routing_id": b"peer"}


def test_a_hello_comes_first(link: Link) -> None:
    router, dealer = link.pair(zmq.ROUTER, zmq.DEALER, {"hello_msg": b"I am"}, NAMED)
    dealer.send(b"hello")
    assert router.recv_multipart() == [b"peer", b"hello"]
    router.send_multipart([b"peer", b"later"])
    assert dealer.recv() == b"I am"
    assert dealer.recv() == b"later"


@ipc_only
def test_on_every_connection(link: Link) -> None:
    endpoint = link.endpoint()
    dealer = link.far(zmq.DEALER, connect=endpoint, hello_msg=b"I am", reconnect_ivl=10, **NAMED)
    for _ in range(2):
        router = link.near(zmq.ROUTER, bind=endpoint)
        wait_for(lambda: (dealer.poll(1), router.poll(1))[1], "the hello")  # noqa: B023
        assert router.recv_multipart() == [b"peer", b"I am"]
        router.close()


def test_a_peer_that_goes_leaves_a_message(link: Link) -> None:
    router, dealer = link.pair(zmq.ROUTER, zmq.DEALER, {"disconnect_msg": b"gone"}, NAMED)
    dealer.send(b"first")
    assert router.recv_multipart() == [b"peer", b"first"]
    dealer.send(b"last")
    dealer.close(20_000)  # over a network what was sent last takes a moment
    assert router.recv_multipart() == [b"peer", b"last"]
    assert router.recv_multipart() == [b"peer", b"gone"]
    assert not router.poll(0)


@ipc_only
def test_a_hiccup_is_told(link: Link) -> None:
    endpoint = link.endpoint()
    router = link.far(zmq.ROUTER, bind=endpoint)
    dealer = link.near(zmq.DEALER, connect=endpoint, hiccup_msg=b"hiccup", **NAMED)
    dealer.send(b"hello")
    assert router.recv_multipart() == [b"peer", b"hello"]
    router.close()
    assert dealer.recv() == b"hiccup"


@pytest.mark.parametrize("notify", [0, 1, 2, 3])
def test_a_router_is_told_of_its_peers(link: Link, notify: int) -> None:
    router, dealer = link.pair(zmq.ROUTER, zmq.DEALER, {"router_notify": notify}, NAMED)
    dealer.send(b"hello")
    expected = [[b"peer", b""]] if notify & 1 else []
    expected += [[b"peer", b"hello"]]
    assert [router.recv_multipart() for _ in expected] == expected
    dealer.close()
    if notify & 2:
        assert router.recv_multipart() == [b"peer", b""]
    assert not router.poll(20)
