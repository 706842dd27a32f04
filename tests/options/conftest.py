"""Every test of an option is checked for what it leaves behind, and has libzmq as its peer, too."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.ear import Ear
from support.factory import SocketFactory
from support.library import Socket
from support.links import KINDS, LIBZMQ_KINDS, Link, free_port
from support.plain import Plain
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


@pytest.fixture(params=["tcp", "ipc"])
def endpoint(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An endpoint of each transport that has connections, for peers that are byte streams."""
    if request.param == "tcp":
        return f"tcp://127.0.0.1:{free_port()}"
    return f"ipc://{tmp_path}/stream"


@pytest.fixture
def plain() -> Iterator[Plain]:
    """Makes plain TCP sockets."""
    with ExitStack() as stack:
        yield Plain(stack)


@pytest.fixture
def ears() -> Iterator[Any]:
    """Makes ears, which hear a socket's monitor, and closes them."""
    made: list[Ear] = []

    def listen(monitored: Socket) -> Ear:
        made.append(Ear(monitored))
        return made[-1]

    yield listen
    for ear in made:
        ear.socket.close(linger=0)
