"""Peers that come and go by the thousand: descriptors and memory of the worker come back."""

import os
import socket

import psutil
import pytest
from support.factory import SocketFactory
from support.library import Socket
from support.raw_peer import GREETING, RawPeer, frame, ready
from support.waiting import wait_for

import shmzmq as zmq

WARM = 1_500
CYCLES = 2_000
ALL_CYCLES = 10_000
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


@pytest.fixture
def cycles(request: pytest.FixtureRequest) -> int:
    """How often a peer comes and goes; all 10,000 times with --stress."""
    return ALL_CYCLES if request.config.getoption("--stress", default=False) else CYCLES


@pytest.fixture
def puller(sockets: SocketFactory) -> Socket:
    """A bound PULL."""
    options = {"handshake_ivl": HANDSHAKE_MS, "maxmsgsize": 1000, "backlog": 1000}
    return sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*", **options)


@pytest.fixture
def worker(puller: Socket) -> psutil.Process:
    """The process that listens for it."""
    [link] = puller.context._pool.links()
    return psutil.Process(link.process.pid)


def come_and_go(puller: Socket, times: int) -> None:
    """Have *times* peers connect, say something, and leave; some do not wait for an answer."""
    port = int(puller.last_endpoint.rpartition(b":")[2])
    ways = list(WAYS.values())
    for number in range(times):
        with socket.create_connection(("127.0.0.1", port)) as stream:
            stream.sendall(ways[number % len(ways)])
            if number % 10 == 0:
                stream.shutdown(socket.SHUT_WR)
                while stream.recv(4096):  # until the worker has caught up with us
                    pass


def descriptors(worker: psutil.Process) -> int:
    """Return how many descriptors a worker has open."""
    return len(os.listdir(f"/proc/{worker.pid}/fd"))


def test_what_thousands_took_comes_back(
    puller: Socket, worker: psutil.Process, cycles: int
) -> None:
    with RawPeer(puller.last_endpoint.decode()) as healthy:
        healthy.shake_hands(b"PUSH")
        healthy.say(frame(b"before"))
        assert puller.recv() == b"before"
        at_rest = descriptors(worker)
        come_and_go(puller, WARM)
        wait_for(lambda: descriptors(worker) <= at_rest, "the worker has closed them")
        puller.poll(0)
        memory = worker.memory_full_info().uss
        come_and_go(puller, cycles)
        wait_for(lambda: descriptors(worker) <= at_rest, "the worker has closed them")
        puller.poll(0)
        assert worker.memory_full_info().uss - memory < MOST_GROWTH
        healthy.say(frame(b"after"))
        assert puller.recv() == b"after"


def test_many_that_say_nothing_more(puller: Socket, worker: psutil.Process) -> None:
    port = int(puller.last_endpoint.rpartition(b":")[2])
    with RawPeer(puller.last_endpoint.decode()) as healthy:
        healthy.shake_hands(b"PUSH")
        healthy.say(frame(b"before"))
        assert puller.recv() == b"before"
        at_rest = descriptors(worker)
        silent = [RawPeer(f"tcp://127.0.0.1:{port}") for _ in range(200)]
        try:
            for number, peer in enumerate(silent):
                peer.say(GREETING[: number % len(GREETING)])
            healthy.say(frame(b"meanwhile"))
            assert puller.recv() == b"meanwhile"
            assert all(peer.is_hung_up() for peer in silent)
            wait_for(lambda: descriptors(worker) <= at_rest, "nothing is left of them")
        finally:
            for peer in silent:
                peer.stream.close()
