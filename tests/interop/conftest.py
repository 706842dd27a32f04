"""shmzmq here and libzmq (through pyzmq) in a child process, over every transport they share."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from shmzmq.transports.registry import find_transport
from support.factory import SocketFactory
from support.library import IS_LIBZMQ
from support.remote import PeerProcess, RemoteSocket

import shmzmq

ENDPOINTS: dict[str, tuple[str, dict[str, Any]]] = {
    # what to bind, and the options that both ends need for it
    "ipc": ("ipc://*", {}),
    "tcp": ("tcp://127.0.0.1:*", {}),
    "tcp6": ("tcp://[::1]:*", {"ipv6": 1}),
}


def known_endpoints() -> list[str]:
    """Return those of ENDPOINTS whose transport this build has."""
    known = []
    for name, (endpoint, _) in ENDPOINTS.items():
        with contextlib.suppress(shmzmq.ZMQError):
            find_transport(endpoint.partition(":")[0])
            known.append(name)
    return known


@pytest.fixture(scope="session")
def libzmq() -> Iterator[PeerProcess]:
    """The process in which libzmq's sockets live."""
    assert not IS_LIBZMQ, "these tests are of shmzmq against libzmq"
    process = PeerProcess("zmq")
    yield process
    process.stop()


@dataclass
class Meeting:
    """Brings a socket of ours and one of libzmq's together, with either side binding."""

    near: SocketFactory
    process: PeerProcess
    endpoint: str
    options: dict[str, Any]
    we_bind: bool
    bound: list[str] = field(default_factory=list)

    def ours(self, socket_type: int, **options: Any) -> shmzmq.Socket:
        """Open a socket of ours that neither binds nor connects."""
        return self.near.open(socket_type, **self.options | options)

    def theirs(self, socket_type: int, **options: Any) -> RemoteSocket:
        """Open a socket of libzmq that neither binds nor connects."""
        return self.process.open(socket_type, **self.options | options)

    def pair(
        self,
        ours: int,
        theirs: int,
        near: dict[str, Any] | None = None,
        far: dict[str, Any] | None = None,
    ) -> tuple[shmzmq.Socket, RemoteSocket]:
        """Return a socket of ours and one of libzmq, connected, each with its options."""
        ends = self.ours(ours, **near or {}), self.theirs(theirs, **far or {})
        self.join(*ends)
        return ends

    def join(self, near: shmzmq.Socket, far: RemoteSocket) -> None:
        """Have one of the two bind, and the other connect to it."""
        listening: Any
        dialling: Any
        listening, dialling = (near, far) if self.we_bind else (far, near)
        listening.bind(self.endpoint)
        address = listening.getsockopt(shmzmq.LAST_ENDPOINT).rstrip(b"\0").decode()
        self.bound.append(address)
        dialling.connect(address)


@pytest.fixture(params=[True, False], ids=["we bind", "libzmq binds"])
def we_bind(request: pytest.FixtureRequest) -> bool:
    """Which side binds."""
    return bool(request.param)


@pytest.fixture(params=known_endpoints())
def meeting(
    request: pytest.FixtureRequest, sockets: SocketFactory, libzmq: PeerProcess, we_bind: bool
) -> Iterator[Meeting]:
    """Each transport, with either side binding."""
    endpoint, options = ENDPOINTS[request.param]
    yield Meeting(sockets, libzmq, endpoint, options, we_bind)
    libzmq.reset()
