"""CONNECT_RID: "sets the peer id of the next host connected via the zmq_connect() call, and
immediately readies that connection for data transfer with the named id. This option applies only
to the first subsequent call to zmq_connect() [...] Assigning a name that is already in use is not
allowed. [...] from 1 to 255 bytes long and MAY NOT start with binary zero."
"""

import errno

import pytest
from support.library import ours_better, zmq
from support.links import Link, ipc_only
from support.waiting import wait_for


def test_the_peer_can_be_sent_to_at_once(link: Link) -> None:
    endpoint = link.endpoint()
    far = link.far(zmq.ROUTER, bind=endpoint, routing_id=b"its own name")
    router = link.near(zmq.ROUTER, connect_rid=b"peer", routing_id=b"near", router_mandatory=1)
    router.connect(endpoint)
    router.send_multipart([b"peer", b"hello"])
    assert far.recv_multipart() == [b"near", b"hello"]
    far.send_multipart([b"near", b"answer"])
    assert router.recv_multipart() == [b"peer", b"answer"]


@ipc_only
def test_also_before_it_is_there(link: Link) -> None:
    endpoint = link.endpoint()
    router = link.near(zmq.ROUTER, connect_rid=b"peer", router_mandatory=1)
    router.connect(endpoint)
    router.send_multipart([b"peer", b"hello"])
    dealer = link.far(zmq.DEALER, bind=endpoint)
    assert dealer.recv() == b"hello"


def test_it_names_the_next_peer_only(link: Link) -> None:
    names = [link.endpoint(), link.endpoint()]
    dealers = [link.far(zmq.DEALER, bind=name) for name in names]
    router = link.near(zmq.ROUTER, connect_rid=b"first")
    for name in names:
        router.connect(name)
    dealers[1].send(b"from the second")
    name, _ = router.recv_multipart()
    assert (len(name), name[:1]) == (5, b"\0")
    dealers[0].send(b"from the first")
    assert router.recv_multipart() == [b"first", b"from the first"]


def test_the_alias_is_the_same_option() -> None:
    assert zmq.CONNECT_RID == zmq.CONNECT_ROUTING_ID


@ours_better("libzmq aborts the process")
def test_a_name_in_use_is_refused(link: Link) -> None:
    endpoint = link.endpoint()
    dealer = link.far(zmq.DEALER, bind=endpoint)
    router = link.near(zmq.ROUTER, connect_rid=b"peer")
    router.connect(endpoint)
    router.setsockopt(zmq.CONNECT_RID, b"peer")
    with pytest.raises(zmq.ZMQError, match="peer") as failure:
        router.connect(endpoint)
    assert failure.value.errno == errno.EADDRINUSE
    router.send_multipart([b"peer", b"hello"])
    assert dealer.recv() == b"hello"


@ours_better("libzmq takes a zero in front, and none for no name at all")
@pytest.mark.parametrize("name", [b"", b"\0x", b"x" * 256])
def test_names_that_are_none(link: Link, name: bytes) -> None:
    router = link.near(zmq.ROUTER)
    with pytest.raises(
        zmq.ZMQError, match=r"CONNECT_ROUTING_ID \(CONNECT_RID\) takes 1 to 255 bytes"
    ) as failure:
        router.setsockopt(zmq.CONNECT_RID, name)
    assert failure.value.errno == errno.EINVAL


@ours_better("a name can be bound again at once; libzmq lets it go later")
@ipc_only
def test_the_name_stays_when_the_connection_is_made_anew(link: Link) -> None:
    endpoint = link.endpoint()
    router = link.near(zmq.ROUTER, connect_rid=b"peer", reconnect_ivl=10)
    router.connect(endpoint)
    for number in range(2):
        dealer = link.far(zmq.DEALER, bind=endpoint)
        wait_for(lambda: (router.poll(1), dealer.poll(1)), "both have looked")  # noqa: B023
        dealer.send(b"hello %d" % number)
        assert router.recv_multipart() == [b"peer", b"hello %d" % number]
        dealer.close()
