"""proxy: what comes in on one side goes out on the other, until the context ends (zmq_proxy)."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest
from support.exchange import unique
from support.factory import SocketFactory
from support.library import Context, Socket, zmq
from support.links import Link
from support.waiting import Background, wait_until_blocked

Starter: TypeAlias = Callable[..., tuple[str, str]]


@pytest.fixture
def proxy(link: Link, sockets: SocketFactory, context: Context) -> Iterator[Starter]:
    """Starts a proxy between two bound sockets in a thread, and returns their endpoints."""
    own = SocketFactory(context)
    threads: list[Background] = []

    def start(frontend: int, backend: int, *capture: Socket) -> tuple[str, str]:
        endpoints = link.endpoint(), link.endpoint()
        sides = own.open(frontend, bind=endpoints[0]), own.open(backend, bind=endpoints[1])

        def run() -> None:
            try:
                zmq.proxy(*sides, *capture)
            finally:
                own.close()

        threads.append(Background(run))
        return endpoints

    yield start
    for thread in threads:
        wait_until_blocked(thread)
    sockets.close()
    context.term()
    for thread in threads:
        with pytest.raises(zmq.ContextTerminated):
            thread.result()


def test_requests_and_replies(link: Link, proxy: Starter) -> None:
    front, back = proxy(zmq.ROUTER, zmq.DEALER)
    rep = link.far(zmq.REP, connect=back)
    reqs = [link.near(zmq.REQ, connect=front) for _ in range(5)]
    for _ in range(10):
        for number, req in enumerate(reqs):
            req.send_multipart([b"%d" % number, b"", b"x" * 1000])
        for _ in reqs:
            rep.send_multipart(rep.recv_multipart())
        for number, req in enumerate(reqs):
            assert req.recv_multipart() == [b"%d" % number, b"", b"x" * 1000]


def test_work_is_shared_out(link: Link, proxy: Starter) -> None:
    front, back = proxy(zmq.PULL, zmq.PUSH)
    pull = link.far(zmq.PULL, connect=back)
    push = link.near(zmq.PUSH, connect=front)
    for number in range(300):
        push.send(b"%d" % number)
    assert [pull.recv() for _ in range(300)] == [b"%d" % number for number in range(300)]


def test_subscriptions_travel_through(link: Link, proxy: Starter) -> None:
    front, back = proxy(zmq.XSUB, zmq.XPUB)
    xpub = link.near(zmq.XPUB, connect=front)
    subs = [link.far(zmq.SUB, connect=back) for _ in range(2)]
    subs[0].subscribe(b"a")
    assert xpub.recv() == b"\x01a"
    subs[1].subscribe(b"a")
    subs[1].subscribe(b"b")
    # The second "a" is known already to the proxy.
    assert xpub.recv() == b"\x01b"
    for word in (b"a1", b"c", b"b1"):
        xpub.send(word)
    assert subs[0].recv() == b"a1"
    assert [subs[1].recv(), subs[1].recv()] == [b"a1", b"b1"]
    subs[1].unsubscribe(b"b")
    assert xpub.recv() == b"\x00b"


def test_a_third_socket_sees_everything(link: Link, sockets: SocketFactory, proxy: Starter) -> None:
    name = f"inproc://{unique('capture').decode()}"
    watching = sockets.open(zmq.PULL, bind=name)
    front, back = proxy(zmq.ROUTER, zmq.DEALER, sockets.open(zmq.PUSH, connect=name))
    rep = link.far(zmq.REP, connect=back)
    req = link.near(zmq.REQ, connect=front, identity=b"me")
    req.send(b"question")
    assert rep.recv() == b"question"
    rep.send(b"answer")
    assert req.recv() == b"answer"
    assert watching.recv_multipart() == [b"me", b"", b"question"]
    assert watching.recv_multipart() == [b"me", b"", b"answer"]


def test_a_proxy_waits_for_room(link: Link, proxy: Starter) -> None:
    front, back = proxy(zmq.PULL, zmq.PUSH)
    push = link.near(zmq.PUSH, connect=front, sndtimeo=-1)
    bodies = [b"%d" % number for number in range(10_000)]

    def send_all() -> None:
        for body in bodies:
            push.send(body * 1000)

    # Nobody takes anything from the other side yet.
    sending = Background(send_all)
    wait_until_blocked(sending)
    pull = link.far(zmq.PULL, connect=back)
    for body in bodies:
        assert pull.recv() == body * 1000
    sending.result()
