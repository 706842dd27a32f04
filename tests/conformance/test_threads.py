"""Threads: sockets may move, blocked calls let others run, and term() ends them all."""

import threading
from collections.abc import Callable
from functools import partial

import pytest
from support.exchange import unique
from support.factory import SocketFactory
from support.library import Context, Socket, zmq
from support.links import Link, inproc_only, local_only
from support.waiting import Background, wait_for, wait_until_blocked


def test_a_socket_moves_between_threads(link: Link) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    near.send(b"0")
    assert far.recv() == b"0"
    for number in range(1, 10):
        word = b"%d" % number

        def elsewhere(word: bytes = word) -> bytes:
            near.send(word)
            return bytes(near.recv())

        there = Background(elsewhere)
        assert far.recv() == word
        far.send(word + b" back")
        assert there.result() == word + b" back"
        near.send(b"here")
        assert far.recv() == b"here"


def test_a_socket_made_in_another_thread(link: Link) -> None:
    endpoint = link.endpoint()
    pull: Socket = Background(lambda: link.near(zmq.PULL, bind=endpoint)).result()
    push = link.far(zmq.PUSH, connect=endpoint)
    push.send(b"x")
    assert pull.recv() == b"x"


def test_a_blocked_call_lets_other_threads_run(sockets: SocketFactory) -> None:
    pull = sockets.open(zmq.PULL, bind="inproc://blocked", rcvtimeo=-1)
    receiving = Background(pull.recv)
    wait_until_blocked(receiving)
    # If the call held the interpreter lock nobody would come so far.
    assert sum(range(100_000)) == 4_999_950_000
    sockets.open(zmq.PUSH, connect="inproc://blocked").send(b"x")
    assert receiving.result() == b"x"


def _recv(context: Context) -> Callable[[], object]:
    socket = context.socket(zmq.PULL)
    socket.bind("ipc://*")
    return lambda: _closing(socket, socket.recv)


def _send(context: Context) -> Callable[[], object]:
    socket = context.socket(zmq.PUSH)
    socket.bind("ipc://*")
    return lambda: _closing(socket, lambda: socket.send(b"x"))


def _poll(context: Context) -> Callable[[], object]:
    socket = context.socket(zmq.PULL)
    socket.bind("ipc://*")
    return lambda: _closing(socket, socket.poll)


def _poller(context: Context) -> Callable[[], object]:
    socket = context.socket(zmq.PULL)
    socket.bind("ipc://*")
    poller = zmq.Poller()
    poller.register(socket, zmq.POLLIN)
    return lambda: _closing(socket, poller.poll)


def _reply(context: Context) -> Callable[[], object]:
    rep, req = context.socket(zmq.REP), context.socket(zmq.REQ)
    rep.bind("inproc://reply")
    req.connect("inproc://reply")
    req.send(b"question")
    rep.close()
    return lambda: _closing(req, req.recv)


def _closing(socket: Socket, call: Callable[[], object]) -> object:
    """Do what blocks; close the socket in any case, for term() waits for that."""
    try:
        return call()
    finally:
        socket.close(linger=0)


@pytest.mark.parametrize("blocking", [_recv, _send, _poll, _poller, _reply])
def test_term_ends_what_is_blocked(
    context: Context, blocking: Callable[[Context], Callable[[], object]]
) -> None:
    thread = Background(blocking(context))
    wait_until_blocked(thread)
    context.term()
    with pytest.raises(zmq.ContextTerminated) as caught:
        thread.result()
    assert caught.value.errno == zmq.ETERM
    assert context.closed


def test_term_ends_everything_that_is_blocked(context: Context) -> None:
    threads = [Background(_recv(context)) for _ in range(5)]
    threads += [Background(_send(context)) for _ in range(5)]
    for thread in threads:
        wait_until_blocked(thread)
    context.term()
    for thread in threads:
        with pytest.raises(zmq.ContextTerminated):
            thread.result()


def _terminated(socket: Socket) -> bool:
    """Say whether the socket knows that its context is being ended."""
    try:
        socket.recv(zmq.NOBLOCK)
    except zmq.ContextTerminated:
        return True
    except zmq.Again:
        pass
    return False


def test_term_waits_until_every_socket_is_closed(context: Context) -> None:
    socket = context.socket(zmq.PULL)
    ending = Background(context.term)
    wait_for(lambda: _terminated(socket), "the socket hears of it")
    for call in (
        socket.recv,
        lambda: socket.getsockopt(zmq.EVENTS),
        lambda: socket.bind("inproc://x"),
    ):
        with pytest.raises(zmq.ContextTerminated):
            call()
    assert ending.is_alive()
    socket.close()
    ending.result()


@local_only
def test_two_threads_talk(link: Link) -> None:
    endpoint = link.endpoint()
    rep = link.near(zmq.REP, bind=endpoint)
    req = link.near(zmq.REQ, connect=endpoint)

    def serve() -> None:
        for _ in range(2000):
            rep.send(rep.recv())

    serving = Background(serve)
    for number in range(2000):
        req.send(b"%d" % number)
        assert req.recv() == b"%d" % number
    serving.result()


@local_only
@pytest.mark.parametrize("mark", [1, 10, 1000])
def test_a_stream_between_threads(link: Link, mark: int) -> None:
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL, bind=endpoint, rcvhwm=mark)
    push = link.near(zmq.PUSH, connect=endpoint, sndhwm=mark)

    def send_all() -> None:
        for number in range(5000):
            push.send(b"%d" % number)

    sending = Background(send_all)
    for number in range(5000):
        assert pull.recv() == b"%d" % number
    sending.result()


@local_only
def test_many_threads_at_once(link: Link) -> None:
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL, bind=endpoint)
    pushes = [link.near(zmq.PUSH, connect=endpoint) for _ in range(8)]

    def send_all(number: int) -> None:
        for count in range(500):
            pushes[number].send_multipart([b"%d" % number, b"%d" % count])

    sending = [Background(partial(send_all, number)) for number in range(8)]
    counts = [0] * 8
    for _ in range(8 * 500):
        name, count = pull.recv_multipart()
        # Each sender's messages keep their order.
        assert int(count) == counts[int(name)]
        counts[int(name)] += 1
    assert counts == [500] * 8
    for thread in sending:
        thread.result()


@inproc_only
def test_threads_share_a_context(link: Link, context: Context) -> None:
    together = threading.Barrier(6)

    def work() -> None:
        together.wait()
        for _ in range(50):
            endpoint = f"inproc://{unique('shared').decode()}"
            factory = SocketFactory(context)
            pull = factory.open(zmq.PULL, bind=endpoint)
            factory.open(zmq.PUSH, connect=endpoint).send(b"x")
            assert pull.recv() == b"x"
            factory.close()

    threads = [Background(work) for _ in range(6)]
    for thread in threads:
        thread.result()


def test_contexts_in_several_threads() -> None:
    def work() -> None:
        for _ in range(3):
            with zmq.Context() as context:
                factory = SocketFactory(context)
                pull = factory.open(zmq.PULL, bind="ipc://*")
                endpoint = pull.get_string(zmq.LAST_ENDPOINT)
                factory.open(zmq.PUSH, connect=endpoint).send(b"x")
                assert pull.recv() == b"x"
                factory.close()

    threads = [Background(work) for _ in range(3)]
    for thread in threads:
        thread.result()
