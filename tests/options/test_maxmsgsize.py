"""MAXMSGSIZE: "Limits the size of the inbound message. If a peer sends a message larger than
ZMQ_MAXMSGSIZE it is disconnected. Value of -1 means 'no limit'."

As in libzmq it is each part that is measured, and inproc has no limit.
"""

from support.library import ours_better, zmq
from support.links import Link, connections_only, inproc_only
from support.waiting import wait_for

LIMIT = 1000


@connections_only
def test_as_much_as_it_says_is_taken(link: Link) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH, {"maxmsgsize": LIMIT})
    push.send(b"x" * LIMIT)
    push.send_multipart([b"y" * LIMIT] * 3)
    assert pull.recv() == b"x" * LIMIT
    assert pull.recv_multipart() == [b"y" * LIMIT] * 3


@connections_only
def test_a_peer_that_sends_more_is_disconnected(link: Link) -> None:
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL, bind=endpoint, maxmsgsize=LIMIT)
    bad = link.far(zmq.PUSH, connect=endpoint, reconnect_ivl=-1, immediate=1)
    good = link.far(zmq.PUSH, connect=endpoint)
    bad.send(b"before")
    assert pull.recv() == b"before"
    bad.send(b"x" * (LIMIT + 1))
    good.send(b"good")
    assert pull.recv() == b"good"
    # Disconnected, and told not to connect again, it has nobody to send to.
    wait_for(lambda: (pull.poll(1), not bad.poll(1, zmq.POLLOUT))[1], "the peer is disconnected")
    good.send(b"still there")
    assert pull.recv() == b"still there"


@connections_only
def test_it_is_not_offered_again_when_the_peer_comes_back(link: Link) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH, {"maxmsgsize": LIMIT}, {"reconnect_ivl": 10})
    push.send(b"before")
    assert pull.recv() == b"before"
    push.send(b"x" * (LIMIT + 1))

    def comes_through() -> bool:
        push.send(b"after")
        return bool(pull.poll(10))

    wait_for(comes_through, "the peer has come back")
    assert pull.recv() == b"after"


@connections_only
def test_it_counts_for_what_is_bound_after_it_was_set(link: Link) -> None:
    first, second = link.endpoint(), link.endpoint()
    pull = link.near(zmq.PULL, bind=first)
    pull.setsockopt(zmq.MAXMSGSIZE, LIMIT)
    pull.bind(second)
    push = link.far(zmq.PUSH, connect=first)
    push.send(b"x" * (LIMIT + 1))
    assert len(pull.recv()) == LIMIT + 1


@ours_better("libzmq does not connect again")
@connections_only
def test_it_counts_on_the_connecting_side_too(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.far(zmq.PUSH, bind=endpoint)
    pull = link.near(zmq.PULL, connect=endpoint, maxmsgsize=LIMIT, reconnect_ivl=10)
    push.send(b"x" * LIMIT)
    assert len(pull.recv()) == LIMIT
    push.send(b"x" * (LIMIT + 1))
    pull.setsockopt(zmq.RCVTIMEO, 10)
    push.setsockopt(zmq.SNDTIMEO, 10)

    def comes_through() -> bool:
        try:
            push.send(b"small")
            return bool(pull.recv() == b"small")
        except zmq.Again:
            return False

    wait_for(comes_through, "a small message after the large one")


@inproc_only
def test_inproc_has_no_limit(link: Link) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH, {"maxmsgsize": LIMIT})
    push.send(b"x" * (LIMIT + 1))
    assert len(pull.recv()) == LIMIT + 1
