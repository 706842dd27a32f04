"""RCVTIMEO and SNDTIMEO: "If the value is 0, zmq_recv(3) will return immediately, with a EAGAIN
error if there is no message to receive. If the value is -1, it will block until a message is
available. For all other values, it will wait for a message for that amount of time before returning
with an EAGAIN error"; and the same of sending.

NOBLOCK and the time given to poll besides: they all end a wait, and not too early.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from support.factory import SocketFactory
from support.library import Socket, zmq
from support.links import Link
from support.waiting import Background, wait_until_blocked

# Clocks of different make may disagree by a tick of the coarser one.
_TICK_S = 0.005


@contextmanager
def at_least(milliseconds: int) -> Iterator[None]:
    """Check that the block takes so long at least. How much longer is the machine's affair."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start >= milliseconds / 1000 - _TICK_S


@pytest.mark.parametrize("timeout", [0, 1, 30])
@pytest.mark.parametrize("call", ["recv", "recv_multipart", "recv_string", "recv_json"])
def test_receiving_ends(link: Link, call: str, timeout: int) -> None:
    pull, _ = link.pair(zmq.PULL, zmq.PUSH)
    pull.setsockopt(zmq.RCVTIMEO, timeout)
    with at_least(timeout), pytest.raises(zmq.Again) as caught:
        getattr(pull, call)()
    assert caught.value.errno == zmq.EAGAIN


@pytest.mark.parametrize("timeout", [0, 1, 30])
def test_sending_ends(link: Link, timeout: int) -> None:
    push = link.near(zmq.PUSH, connect=link.endpoint(), sndhwm=1, sndtimeo=timeout)
    push.send(b"fits")
    with at_least(timeout), pytest.raises(zmq.Again) as caught:
        push.send(b"does not")
    assert caught.value.errno == zmq.EAGAIN


def _receiver(link: Link) -> tuple[Socket, Callable[[int], object]]:
    """Return a socket without messages and the call that receives from it."""
    socket = link.near(zmq.PULL, bind=link.endpoint(), rcvtimeo=-1, sndtimeo=-1)
    return socket, lambda flags: socket.recv(flags)


def _sender(link: Link) -> tuple[Socket, Callable[[int], object]]:
    """Return a socket without peers and the call that sends on it."""
    socket = link.near(zmq.PUSH, bind=link.endpoint(), rcvtimeo=-1, sndtimeo=-1)
    return socket, lambda flags: socket.send(b"x", flags)


@pytest.mark.parametrize("make", [_receiver, _sender])
@pytest.mark.parametrize("timeout", [-1, 0, 60_000_000])
def test_noblock_never_waits(
    link: Link, make: Callable[[Link], tuple[Socket, Callable[[int], object]]], timeout: int
) -> None:
    socket, call = make(link)
    socket.setsockopt(zmq.RCVTIMEO, timeout)
    socket.setsockopt(zmq.SNDTIMEO, timeout)
    for _ in range(10):
        with pytest.raises(zmq.Again):
            call(zmq.NOBLOCK)
    assert zmq.NOBLOCK == zmq.DONTWAIT


def test_a_message_that_is_there_is_received_whatever_the_time(link: Link) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH)
    for _ in range(4):
        push.send(b"there")
    assert pull.recv() == b"there"
    for timeout in (1000, -1):
        pull.setsockopt(zmq.RCVTIMEO, timeout)
        assert pull.recv() == b"there"
    assert pull.poll()
    pull.setsockopt(zmq.RCVTIMEO, 0)
    assert pull.recv() == b"there"


def test_a_message_that_comes_in_time_ends_the_wait(link: Link) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH)
    receiving = Background(pull.recv)
    wait_until_blocked(receiving)
    push.send(b"in time")
    assert receiving.result() == b"in time"


def test_minus_one_waits_for_as_long_as_it_takes(link: Link) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH, near={"rcvtimeo": -1})
    receiving = Background(pull.recv)
    wait_until_blocked(receiving)
    push.send(b"at last")
    assert receiving.result() == b"at last"


def test_the_time_may_be_changed(link: Link) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH, near={"rcvtimeo": 1})
    with pytest.raises(zmq.Again):
        pull.recv()
    pull.setsockopt(zmq.RCVTIMEO, 10_000)
    push.send(b"x")
    assert pull.recv() == b"x"
    pull.setsockopt(zmq.RCVTIMEO, 2)
    with pytest.raises(zmq.Again):
        pull.recv()


def test_a_timed_out_message_was_not_sent(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, connect=endpoint, sndhwm=1, sndtimeo=1)
    push.send(b"first")
    with pytest.raises(zmq.Again):
        push.send(b"second")
    pull = link.far(zmq.PULL, bind=endpoint)
    assert pull.recv() == b"first"
    push.setsockopt(zmq.SNDTIMEO, -1)
    push.send(b"third")
    assert pull.recv() == b"third"


@pytest.mark.parametrize("timeout", [0, 1, 30])
def test_poll_ends(link: Link, timeout: int) -> None:
    pull, _ = link.pair(zmq.PULL, zmq.PUSH)
    poller = zmq.Poller()
    poller.register(pull, zmq.POLLIN)
    with at_least(timeout):
        assert pull.poll(timeout) == 0
    with at_least(timeout):
        assert poller.poll(timeout) == []
    with at_least(timeout):
        assert zmq.select([pull], [], [], timeout / 1000) == ([], [], [])


def test_sockets_of_one_context_have_their_own_times(sockets: SocketFactory) -> None:
    patient = sockets.open(zmq.PULL, bind="inproc://patient")
    hasty = sockets.open(zmq.PULL, bind="inproc://hasty", rcvtimeo=1)
    waiting = Background(patient.recv)
    wait_until_blocked(waiting)
    with pytest.raises(zmq.Again):
        hasty.recv()
    assert waiting.is_alive()
    sockets.open(zmq.PUSH, connect="inproc://patient").send(b"x")
    assert waiting.result() == b"x"
