"""Every test of an option is checked for what it leaves behind, and has libzmq as its peer, too."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.factory import SocketFactory
from support.links import KINDS, LIBZMQ_KINDS, Link
from support.remote import PeerProcess


@pytest.fixture(autouse=True)
def _clean(nothing_left: None) -> None:
    """Ask for the check in every test, also where no socket fixture does."""


@pytest.fixture(scope="session", autouse=True)
def libzmq_process() -> Iterator[PeerProcess]:
    """The process in which libzmq's sockets live; there before anything is checked."""
    process = PeerProcess("zmq")
    yield process
    process.stop()


@pytest.fixture
def libzmq(libzmq_process: PeerProcess, nothing_left: None) -> Iterator[PeerProcess]:
    """The process of libzmq's sockets, with an empty context."""
    yield libzmq_process
    libzmq_process.reset()


@pytest.fixture(params=[*KINDS, *LIBZMQ_KINDS])
def link(request: pytest.FixtureRequest, sockets: SocketFactory, tmp_path: Path) -> Link:
    """Each way in which two sockets can meet, and libzmq at the far end of two more."""
    kind = request.param
    fixture = {"ipc-process": "peer"} | dict.fromkeys(LIBZMQ_KINDS, "libzmq")
    far = request.getfixturevalue(fixture[kind]) if kind in fixture else sockets
    return Link(kind, sockets, far, tmp_path)
