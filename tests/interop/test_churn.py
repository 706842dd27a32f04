"""Peers that come and go by the thousand: descriptors and memory of the worker come back."""

import contextlib
import os
import socket
from typing import Any

import psutil
import pytest
from interop.conftest import ENDPOINTS, known_endpoints
from support.factory import SocketFactory
from support.library import Socket
from support.raw_peer import GREETING, RawPeer, connect_to, frame, ready
from support.waiting import wait_for

import shmzmq as zmq

WARM = 1_500
CYCLES = 10_000
MOST_GROWTH = (
    2 * 2**20
)  # in bytes: about 1,000 for each session, and one that is kept has several times that
HANDSHAKE_MS = 1000

WAYS = {
    "at-once": b"",
    "half a greeting": GREETING[:11],
    "garbage": b"\xffGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "shaken hands": GREETING + ready(b"PUSH"),
    "half a message": GREETING + ready(b"PUSH") + frame(b"x" * 100)[:50],
    "too much": GREETING + ready(b"PUSH") + b"\x02" + (1 << 40).to_bytes(8, "big"),
}


@pytest.fixture(params=known_endpoints())
def puller(request: pytest.FixtureRequest, sockets: SocketFactory) -> Socket:
    """A bound PULL."""
    endpoint, options = ENDPOINTS[request.param]
    strict: dict[str, Any] = {"handshake_ivl": HANDSHAKE_MS, "maxmsgsize": 1000, "backlog": 1000}
    return sockets.open(zmq.PULL, bind=endpoint, **strict, **options)


@pytest.fixture
def worker(puller: Socket) -> psutil.Process:
    """The process that listens for it."""
    [link] = puller.context._pool.links()
    return psutil.Process(link.process.pid)


def come_and_go(puller: Socket, times: int) -> None:
    """Have *times* peers connect, say something, and leave; some do not wait for an answer."""
    endpoint = puller.last_endpoint.decode()
    ways = list(WAYS.values())
    for number in range(times):
        with RawPeer(connect_to(endpoint)) as peer, contextlib.suppress(ConnectionError):
            peer.say(ways[number % len(ways)])
            if number % 10 == 0:
                peer.stream.shutdown(socket.SHUT_WR)
                assert peer.is_hung_up()  # the worker has caught up with us


def descriptors(worker: psutil.Process) -> int:
    """Return how many descriptors a worker and we have open."""
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in (worker.pid, os.getpid()))


def is_at_rest(puller: Socket, worker: psutil.Process, at_rest: int) -> bool:
    """Whether no more descriptors are open than *at_rest*, once we have heard what has ended."""
    puller.poll(0)
    return descriptors(worker) <= at_rest


def test_what_thousands_took_comes_back(puller: Socket, worker: psutil.Process) -> None:
    with RawPeer(puller.last_endpoint.decode()) as healthy:
        healthy.shake_hands(b"PUSH")
        healthy.say(frame(b"before"))
        assert puller.recv() == b"before"
        at_rest = descriptors(worker)
        come_and_go(puller, WARM)
        wait_for(lambda: is_at_rest(puller, worker, at_rest), "everybody has closed them")
        memory = worker.memory_full_info().uss
        come_and_go(puller, CYCLES)
        wait_for(lambda: is_at_rest(puller, worker, at_rest), "everybody has closed them")
        assert worker.memory_full_info().uss - memory < MOST_GROWTH
        healthy.say(frame(b"after"))
        assert puller.recv() == b"after"


def test_many_that_say_nothing_more(puller: Socket, worker: psutil.Process) -> None:
    with RawPeer(puller.last_endpoint.decode()) as healthy:
        healthy.shake_hands(b"PUSH")
        healthy.say(frame(b"before"))
        assert puller.recv() == b"before"
        at_rest = descriptors(worker)
        silent = [RawPeer(puller.last_endpoint.decode()) for _ in range(200)]
        try:
            for number, peer in enumerate(silent):
                peer.say(GREETING[: number % len(GREETING)])
            healthy.say(frame(b"meanwhile"))
            assert puller.recv() == b"meanwhile"
            assert all(peer.is_hung_up() for peer in silent)
            # Each end of theirs is a descriptor of this process.
            at_rest += len(silent)
            wait_for(lambda: is_at_rest(puller, worker, at_rest), "nothing is left of them")
        finally:
            for peer in silent:
                peer.stream.close()
