"""ROUTER_HANDOVER: "If two clients use the same identity when connecting to a ROUTER [...] not set
[...] the ROUTER socket shall reject clients trying to connect with an already-used identity. If
that option is set to 1, the ROUTER socket shall hand-over the connection to the new client and
disconnect the existing one."
"""

from support.library import ours_better, zmq
from support.links import Link, local_ipc_only
from support.waiting import wait_for

SAME = {"routing_id": b"same", "reconnect_ivl": -1}


def test_the_new_peer_takes_the_place_of_the_old_one(link: Link) -> None:
    endpoint = link.endpoint()
    router = link.near(zmq.ROUTER, bind=endpoint, router_handover=1)
    old = link.far(zmq.DEALER, connect=endpoint, **SAME)
    old.send(b"old")
    assert router.recv_multipart() == [b"same", b"old"]
    new = link.far(zmq.DEALER, connect=endpoint, **SAME)
    new.send(b"new")
    assert router.recv_multipart() == [b"same", b"new"]
    router.send_multipart([b"same", b"to the new one"])
    assert new.recv() == b"to the new one"
    assert not old.poll(0)


def test_without_it_the_second_is_not_heard_while_the_first_is_there(link: Link) -> None:
    endpoint = link.endpoint()
    router = link.near(zmq.ROUTER, bind=endpoint)
    old = link.far(zmq.DEALER, connect=endpoint, **SAME)
    old.send(b"old")
    assert router.recv_multipart() == [b"same", b"old"]
    new = link.far(zmq.DEALER, connect=endpoint, **SAME)
    new.send(b"new")
    third = link.far(zmq.DEALER, connect=endpoint, routing_id=b"third")
    third.send(b"third")
    assert router.recv_multipart() == [b"third", b"third"]
    router.send_multipart([b"same", b"to the old one"])
    assert old.recv() == b"to the old one"
    assert not new.poll(0)


def test_it_counts_for_peers_that_come_after_it_was_set(link: Link) -> None:
    endpoint = link.endpoint()
    router = link.near(zmq.ROUTER, bind=endpoint)
    old = link.far(zmq.DEALER, connect=endpoint, **SAME)
    old.send(b"old")
    assert router.recv_multipart() == [b"same", b"old"]
    router.setsockopt(zmq.ROUTER_HANDOVER, 1)
    new = link.far(zmq.DEALER, connect=endpoint, **SAME)
    new.send(b"new")
    assert router.recv_multipart() == [b"same", b"new"]


def test_a_message_being_read_is_read_to_its_end(link: Link) -> None:
    endpoint = link.endpoint()
    router = link.near(zmq.ROUTER, bind=endpoint, router_handover=1)
    old = link.far(zmq.DEALER, connect=endpoint, **SAME)
    old.send_multipart([b"1", b"2", b"3"])
    assert router.recv() == b"same"
    assert router.recv() == b"1"
    new = link.far(zmq.DEALER, connect=endpoint, **SAME)
    new.send(b"new")
    assert router.recv() == b"2"
    assert router.recv() == b"3"
    assert not router.getsockopt(zmq.RCVMORE)
    assert router.recv_multipart() == [b"same", b"new"]


@ours_better("libzmq does not tell the old one that it is disconnected")
@local_ipc_only
def test_two_that_both_connect_again_take_turns(link: Link) -> None:
    """Each is disconnected for the other's sake, and comes back as the new one."""
    endpoint = link.endpoint()
    router = link.near(zmq.ROUTER, bind=endpoint, router_handover=1, router_notify=1)
    again = {"routing_id": b"same", "reconnect_ivl": 30}
    dealers = []
    for number in range(2):
        dealers.append(link.far(zmq.DEALER, connect=endpoint, **again))
        dealers[-1].send(b"%d" % number)
        while router.recv_multipart() != [b"same", b"%d" % number]:
            pass
    came = 0

    def have_come_often() -> bool:
        nonlocal came
        assert not any(dealer.poll(0) for dealer in dealers)
        while router.poll(50):  # meanwhile the dealers are used by nobody
            came += router.recv_multipart() == [b"same", b""]
        return came >= 12

    wait_for(have_come_often, "each has come several times")
