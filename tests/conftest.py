"""Fixtures for tests that use sockets, and the check that nothing is left behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.factory import SocketFactory
from support.leftovers import Stock, check_nothing_left
from support.library import Context, zmq
from support.links import KINDS, Link
from support.remote import PeerProcess


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --stress, for whichever tests are asked for."""
    parser.addoption("--stress", action="store_true", help="run the stress tests for minutes")


@pytest.fixture(scope="session")
def peer_process() -> Iterator[PeerProcess]:
    """The process in which far sockets live; one for the session, as starting it takes a while."""
    process = PeerProcess()
    yield process
    process.stop()


@pytest.fixture(scope="session")
def warm(peer_process: PeerProcess) -> PeerProcess:
    """The library has done everything once: what it keeps for good does not look left over."""
    context = zmq.Context()
    sockets = SocketFactory(context)
    near = sockets.open(zmq.PAIR, bind="ipc://*")
    far = peer_process.open(zmq.PAIR, connect=near.last_endpoint.decode())
    far.send(b"hello")
    assert near.recv() == b"hello"
    near.send(b"x" * 100_000, copy=False)
    assert len(far.recv()) == 100_000
    sockets.close()
    context.destroy(linger=0)
    peer_process.reset()
    return peer_process


@pytest.fixture
def nothing_left(warm: PeerProcess) -> Iterator[None]:
    """Fail a test that leaves a process, a thread, a descriptor or a name in /dev/shm behind."""
    before = Stock.take(warm.pid)
    yield
    check_nothing_left(before, warm.pid)


@pytest.fixture
def context(nothing_left: None) -> Iterator[Context]:
    """A context of the test's own."""
    context = zmq.Context()
    yield context
    context.destroy(linger=0)


@pytest.fixture
def sockets(context: Context) -> Iterator[SocketFactory]:
    """Opens sockets of the test's context and closes them when it ends."""
    factory = SocketFactory(context)
    yield factory
    factory.close()


@pytest.fixture
def peer(warm: PeerProcess, nothing_left: None) -> Iterator[PeerProcess]:
    """The peer process with an empty context."""
    yield warm
    warm.reset()


@pytest.fixture(params=KINDS)
def link(request: pytest.FixtureRequest, sockets: SocketFactory, tmp_path: Path) -> Link:
    """Each way in which two sockets can meet, one after the other."""
    kind = request.param
    far = request.getfixturevalue("peer") if kind == "ipc-process" else sockets
    return Link(kind, sockets, far, tmp_path)
