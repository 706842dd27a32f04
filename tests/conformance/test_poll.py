"""Waiting for several things at once: Poller, select, and FD with EVENTS (zmq_poll, ZMQ_FD)."""

import contextlib
import os
import selectors
import socket as plain
from collections.abc import Iterator

import pytest
from support.exchange import accepted
from support.factory import SocketFactory
from support.library import Socket, ours_better, zmq
from support.links import Link, local_only
from support.waiting import PATIENCE_MS, PATIENCE_S, Background, wait_until_blocked


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe of the operating system, its reading and its writing end."""
    ends = os.pipe()
    yield ends
    for end in ends:
        with contextlib.suppress(OSError):  # the test may have closed it
            os.close(end)


def test_in_and_out(link: Link) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    poller = zmq.Poller()
    poller.register(near, zmq.POLLIN)
    assert poller.poll(0) == []
    far.send(b"x")
    assert poller.poll(PATIENCE_MS) == [(near, zmq.POLLIN)]
    poller.modify(near, zmq.POLLIN | zmq.POLLOUT)
    assert poller.poll() == [(near, zmq.POLLIN | zmq.POLLOUT)]
    near.recv()
    assert poller.poll() == [(near, zmq.POLLOUT)]


def test_register_modify_unregister(sockets: SocketFactory) -> None:
    first, second = sockets.open(zmq.PAIR), sockets.open(zmq.PAIR)
    poller = zmq.Poller()
    assert first not in poller
    poller.register(first)
    poller.register(second, zmq.POLLIN)
    assert first in poller
    assert second in poller
    assert dict(poller.sockets) == {first: zmq.POLLIN | zmq.POLLOUT, second: zmq.POLLIN}
    poller.register(second, zmq.POLLOUT)  # takes the place of the earlier one
    poller.modify(first, zmq.POLLIN)
    assert dict(poller.sockets) == {first: zmq.POLLIN, second: zmq.POLLOUT}
    poller.unregister(first)
    assert first not in poller
    poller.modify(second, 0)  # no events at all is the same as unregister
    assert second not in poller
    with pytest.raises(KeyError):
        poller.unregister(first)
    with pytest.raises(KeyError):
        poller.unregister(second)


@pytest.mark.parametrize("wrong", ["text", None, object], ids=str)
def test_only_sockets_and_files_can_be_registered(wrong: object) -> None:
    poller = zmq.Poller()

    def register_and_poll() -> None:
        # Which of the two refuses is not promised.
        poller.register(wrong, zmq.POLLIN)
        poller.poll(0)

    with pytest.raises(TypeError):
        register_and_poll()


def test_an_empty_poller(sockets: SocketFactory) -> None:
    assert zmq.Poller().poll(1) == []
    assert zmq.select([], [], [], 0.001) == ([], [], [])


def test_all_that_are_ready_are_named(link: Link) -> None:
    pairs = [link.pair(zmq.PULL, zmq.PUSH) for _ in range(5)]
    poller = zmq.Poller()
    for pull, _ in pairs:
        poller.register(pull, zmq.POLLIN)
    for number in (1, 3):
        pairs[number][1].send(b"x")
    ready: dict[Socket, int] = {}
    while len(ready) < 2:
        ready |= dict(poller.poll(PATIENCE_MS))
    assert ready == {pairs[1][0]: zmq.POLLIN, pairs[3][0]: zmq.POLLIN}


def test_many_sockets(link: Link) -> None:
    pairs = [link.pair(zmq.PULL, zmq.PUSH) for _ in range(40)]
    poller = zmq.Poller()
    for pull, _ in pairs:
        poller.register(pull, zmq.POLLIN)
    for pull, push in pairs:
        push.send(b"x")
        assert poller.poll(PATIENCE_MS) == [(pull, zmq.POLLIN)]
        assert pull.recv() == b"x"


def test_a_message_wakes_whoever_polls(link: Link) -> None:
    pairs = [link.pair(zmq.PULL, zmq.PUSH) for _ in range(3)]
    poller = zmq.Poller()
    for pull, _ in pairs:
        poller.register(pull, zmq.POLLIN)
    for pull, push in pairs:
        polling = Background(poller.poll)
        wait_until_blocked(polling)
        push.send(b"x")
        assert polling.result() == [(pull, zmq.POLLIN)]
        assert pull.recv() == b"x"


@local_only
def test_room_wakes_whoever_polls(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, bind=endpoint)
    polling = Background(lambda: push.poll(None, zmq.POLLOUT))
    wait_until_blocked(polling)
    pull = link.far(zmq.PULL, connect=endpoint)
    assert polling.result() == zmq.POLLOUT
    push.send(b"x")
    assert pull.recv() == b"x"


def test_sockets_and_files_together(link: Link, pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    left, right = plain.socketpair()
    poller = zmq.Poller()
    poller.register(near, zmq.POLLIN)
    poller.register(reading, zmq.POLLIN)
    poller.register(left, zmq.POLLIN)
    with left, right:
        assert poller.poll(0) == []
        os.write(writing, b"x")
        assert poller.poll(PATIENCE_MS) == [(reading, zmq.POLLIN)]
        os.read(reading, 1)
        far.send(b"x")
        assert poller.poll(PATIENCE_MS) == [(near, zmq.POLLIN)]
        near.recv()
        right.send(b"x")
        # An object with a fileno() comes back as its descriptor.
        assert poller.poll(PATIENCE_MS) == [(left.fileno(), zmq.POLLIN)]
        os.write(writing, b"x")
        far.send(b"x")
        assert near.poll(PATIENCE_MS)
        everything = {near: zmq.POLLIN, reading: zmq.POLLIN, left.fileno(): zmq.POLLIN}
        assert dict(poller.poll(PATIENCE_MS)) == everything
        poller.register(writing, zmq.POLLOUT)
        assert dict(poller.poll(PATIENCE_MS)) == everything | {writing: zmq.POLLOUT}


def test_a_file_wakes_whoever_polls_sockets(sockets: SocketFactory, pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    poller = zmq.Poller()
    poller.register(sockets.open(zmq.PULL, bind="inproc://quiet"), zmq.POLLIN)
    poller.register(reading, zmq.POLLIN)
    polling = Background(poller.poll)
    wait_until_blocked(polling)
    os.write(writing, b"x")
    assert polling.result() == [(reading, zmq.POLLIN)]


def test_a_socket_wakes_whoever_polls_files(link: Link, pipe: tuple[int, int]) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH)
    poller = zmq.Poller()
    poller.register(pipe[0], zmq.POLLIN)
    poller.register(pull, zmq.POLLIN)
    polling = Background(poller.poll)
    wait_until_blocked(polling)
    push.send(b"x")
    assert polling.result() == [(pull, zmq.POLLIN)]


def test_errors_of_files(sockets: SocketFactory, pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    poller = zmq.Poller()
    poller.register(sockets.open(zmq.PULL), zmq.POLLIN)
    poller.register(writing, zmq.POLLERR)
    assert poller.poll(0) == []
    os.close(reading)
    assert poller.poll(PATIENCE_MS) == [(writing, zmq.POLLERR)]


def test_select(link: Link, pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    assert near.poll(PATIENCE_MS, zmq.POLLOUT)

    def chosen(readers: list[object], writers: list[object]) -> list[set[object]]:
        # In which order they come is not promised.
        return [set(each) for each in zmq.select(readers, writers, readers, PATIENCE_S)]

    assert zmq.select([near, reading], [], [], 0) == ([], [], [])
    assert chosen([near, reading], [near, writing]) == [set(), {near, writing}, set()]
    far.send(b"x")
    assert chosen([near, reading], []) == [{near}, set(), set()]
    os.write(writing, b"x")
    assert chosen([near, reading], [near]) == [{near, reading}, {near}, set()]


def test_a_closed_socket_cannot_be_polled(sockets: SocketFactory) -> None:
    closed = sockets.open(zmq.PULL)
    closed.close()
    with pytest.raises(zmq.ZMQError):
        closed.poll(0)


@ours_better("a poller says so when one of its sockets is closed")
def test_a_poller_notices_a_closed_socket(sockets: SocketFactory) -> None:
    closed = sockets.open(zmq.PULL)
    poller = zmq.Poller()
    poller.register(closed, zmq.POLLIN)
    poller.register(sockets.open(zmq.PULL), zmq.POLLIN)
    closed.close()
    with pytest.raises(zmq.ZMQError) as caught:
        poller.poll(0)
    assert caught.value.errno == zmq.ENOTSOCK


@ours_better("a poller says so when one of its sockets is closed while it waits")
@pytest.mark.parametrize("place", [0, 1, 2])
def test_closing_a_socket_ends_the_wait_of_a_poller(sockets: SocketFactory, place: int) -> None:
    polled = [sockets.open(zmq.PULL) for _ in range(3)]
    poller = zmq.Poller()
    for socket in polled:
        poller.register(socket, zmq.POLLIN)
    polling = Background(poller.poll)
    wait_until_blocked(polling)
    polled[place].close()
    with pytest.raises(zmq.ZMQError) as caught:
        polling.result()
    assert caught.value.errno == zmq.ENOTSOCK
    # The others are as they were.
    del polled[place]
    for socket in polled:
        assert socket.poll(0) == 0


def test_pollout_goes_when_full(sockets: SocketFactory) -> None:
    pull = sockets.open(zmq.PULL, bind="inproc://full", rcvhwm=1)
    push = sockets.open(zmq.PUSH, connect="inproc://full", sndhwm=1)
    poller = zmq.Poller()
    poller.register(push, zmq.POLLOUT)
    assert poller.poll(0) == [(push, zmq.POLLOUT)]
    assert accepted(push, 10) == 2
    assert poller.poll(0) == []
    pull.recv()
    pull.recv()
    assert poller.poll(PATIENCE_MS) == [(push, zmq.POLLOUT)]


def _ready(socket: Socket, selector: selectors.BaseSelector, event: int) -> None:
    """Wait as ZMQ_FD wants it: ask EVENTS, and only if they say no wait for the descriptor."""
    while not socket.get(zmq.EVENTS) & event:
        assert selector.select(PATIENCE_S), "the descriptor never became readable"


@pytest.fixture
def selector() -> Iterator[selectors.BaseSelector]:
    """A selector that is closed at the end."""
    with selectors.DefaultSelector() as selector:
        yield selector


def test_fd_and_events(link: Link, selector: selectors.BaseSelector) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH)
    assert pull.fileno() == pull.get(zmq.FD)
    selector.register(pull, selectors.EVENT_READ)
    expected = 0
    for burst in (1, 2, 5, 1, 100, 3) * 3:
        for number in range(expected, expected + burst):
            push.send(b"%d" % number)
        for number in range(expected, expected + burst):
            _ready(pull, selector, zmq.POLLIN)
            assert pull.recv(zmq.NOBLOCK) == b"%d" % number
        expected += burst
    assert pull.get(zmq.EVENTS) == 0


def test_fd_for_sending(link: Link, selector: selectors.BaseSelector) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, bind=endpoint)
    selector.register(push, selectors.EVENT_READ)
    assert push.get(zmq.EVENTS) == 0
    pull = link.far(zmq.PULL, connect=endpoint)
    _ready(push, selector, zmq.POLLOUT)
    push.send(b"x", zmq.NOBLOCK)
    assert pull.recv() == b"x"


def test_fd_wakes_a_thread_that_selects(link: Link, selector: selectors.BaseSelector) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH)
    selector.register(pull, selectors.EVENT_READ)
    for number in range(20):
        waiting = Background(lambda: _ready(pull, selector, zmq.POLLIN))
        wait_until_blocked(waiting)
        push.send(b"%d" % number)
        waiting.result()
        assert pull.recv(zmq.NOBLOCK) == b"%d" % number


def test_fd_of_a_stream_under_way(link: Link, selector: selectors.BaseSelector) -> None:
    # The sender goes on while the receiver drains, asks and sleeps: no edge may get lost.
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL, bind=endpoint, rcvhwm=7)
    push = link.near(zmq.PUSH, connect=endpoint, sndhwm=7)
    selector.register(pull, selectors.EVENT_READ)

    def send_all() -> None:
        for number in range(3000):
            push.send(b"%d" % number)

    sending = Background(send_all)
    for number in range(3000):
        _ready(pull, selector, zmq.POLLIN)
        assert pull.recv(zmq.NOBLOCK) == b"%d" % number
    sending.result()


def test_fd_of_a_closed_socket(sockets: SocketFactory) -> None:
    socket = sockets.open(zmq.PULL)
    socket.close()
    with pytest.raises(zmq.ZMQError) as caught:
        socket.fileno()
    assert caught.value.errno == zmq.ENOTSOCK
