"""RECONNECT_IVL: "the period 0MQ shall wait between attempts to reconnect disconnected peers when
using connection-oriented transports. The value -1 means no reconnection."

RECONNECT_IVL_MAX: "On each reconnect attempt, the previous interval shall be doubled untill
ZMQ_RECONNECT_IVL_MAX is reached. [...] Default value means no exponential backoff [...] Values less
than ZMQ_RECONNECT_IVL will be ignored."
"""

import time

import pytest
from support.exchange import bind_when_free
from support.factory import SocketFactory
from support.library import ours_better, zmq
from support.links import Link, connections_only, free_port
from support.raw_peer import RawPeer, listen_at
from support.waiting import wait_for

doubled = ours_better("libzmq doubles when it cannot connect, and not when it is hung up on")


def pauses(sockets: SocketFactory, endpoint: str, count: int, **options: int) -> list[float]:
    """Return how long after its end each connection was followed by another, in seconds.

    From just before the end to just after the next beginning, so that nothing that keeps us waiting
    makes it look shorter than the worker's pause.
    """
    with listen_at(endpoint) as listener:
        push = sockets.open(zmq.PUSH, connect=endpoint, **options)
        found = []
        peer = RawPeer(listener.accept()[0])
        for _ in range(count):
            assert peer.hear(1) == b"\xff"
            began = time.monotonic()
            peer.stream.close()
            peer = RawPeer(listener.accept()[0])
            found.append(time.monotonic() - began)
        peer.stream.close()
        push.close()
    return found


@doubled  # and takes half of the interval at times
def test_so_long_it_waits(sockets: SocketFactory, endpoint: str) -> None:
    assert min(pauses(sockets, endpoint, 3, reconnect_ivl=60)) >= 0.06


@doubled
def test_the_wait_grows_up_to_the_maximum(sockets: SocketFactory, endpoint: str) -> None:
    found = pauses(sockets, endpoint, 5, reconnect_ivl=20, reconnect_ivl_max=80)
    least = [0.02, 0.04, 0.08, 0.08, 0.08]
    assert all(pause >= due for pause, due in zip(found, least, strict=True)), found


@doubled
def test_a_maximum_below_the_interval_is_ignored(sockets: SocketFactory, endpoint: str) -> None:
    found = pauses(sockets, endpoint, 4, reconnect_ivl=40, reconnect_ivl_max=10)
    assert min(found) >= 0.04


def test_minus_one_is_never(sockets: SocketFactory, endpoint: str) -> None:
    with listen_at(endpoint) as once:
        sockets.open(zmq.PUSH, reconnect_ivl=-1, connect=endpoint)
        with RawPeer(once.accept()[0]) as peer:
            assert peer.hear(1) == b"\xff"
        # Meanwhile another socket connects again and again.
        pauses(sockets, f"tcp://127.0.0.1:{free_port()}", 5, reconnect_ivl=10)
        once.setblocking(False)
        with pytest.raises(BlockingIOError):
            once.accept()


def test_nor_when_nobody_was_there(sockets: SocketFactory, endpoint: str) -> None:
    push = sockets.open(zmq.PUSH, reconnect_ivl=-1, connect=endpoint)
    pauses(sockets, f"tcp://127.0.0.1:{free_port()}", 5, reconnect_ivl=10)
    with listen_at(endpoint) as late:
        pauses(sockets, f"tcp://127.0.0.1:{free_port()}", 5, reconnect_ivl=10)
        late.setblocking(False)
        with pytest.raises(BlockingIOError):
            late.accept()
    push.close()


@connections_only
def test_a_peer_that_comes_back_is_found(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, connect=endpoint, reconnect_ivl=10, immediate=1)
    for number in range(3):
        pull = link.far(zmq.PULL)
        bind_when_free(pull, endpoint)
        push.send(b"%d" % number)
        assert pull.recv() == b"%d" % number
        pull.close()
        wait_for(lambda: not push.poll(1, zmq.POLLOUT), "the loss is noticed")


@doubled
def test_it_counts_for_the_next_connect(sockets: SocketFactory, endpoint: str) -> None:
    other = f"tcp://127.0.0.1:{free_port()}"
    with listen_at(endpoint) as first, listen_at(other) as second:
        push = sockets.open(zmq.PUSH, reconnect_ivl=5, connect=endpoint)
        push.setsockopt(zmq.RECONNECT_IVL, -1)
        push.connect(other)
        RawPeer(second.accept()[0]).stream.close()
        for _ in range(5):
            with RawPeer(first.accept()[0]) as peer:
                assert peer.hear(1) == b"\xff"
        second.setblocking(False)
        with pytest.raises(BlockingIOError):
            second.accept()
