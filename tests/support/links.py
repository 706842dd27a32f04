"""The ways in which two sockets can meet; the contract is the same over each of them."""

import contextlib
import itertools
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest

from support.library import IS_LIBZMQ, Socket

# "ipc-process": the far socket lives in another process. The others keep both ends in this one.
LOCAL_KINDS = ("inproc", "ipc-path", "ipc-abstract")
IPC_KINDS = ("ipc-path", "ipc-abstract", "ipc-process")
KINDS = (*LOCAL_KINDS, "ipc-process", "tcp")
# With libzmq at the far end, in a process of its own.
LIBZMQ_KINDS = () if IS_LIBZMQ else ("tcp-libzmq", "ipc-libzmq")

# For tests that ask more of both ends than libzmq does, that need both ends in this process, that
# need a connection, or that need to know that what was sent has arrived when send() returns.
# connections_only has libzmq at the far end too, and so is for tests under options/ alone.
ours_only = pytest.mark.parametrize("link", KINDS, indirect=True)
local_only = pytest.mark.parametrize("link", LOCAL_KINDS, indirect=True)
ipc_only = pytest.mark.parametrize("link", IPC_KINDS, indirect=True)
local_ipc_only = pytest.mark.parametrize("link", ["ipc-path", "ipc-abstract"], indirect=True)
connections_only = pytest.mark.parametrize(
    "link", [kind for kind in (*KINDS, *LIBZMQ_KINDS) if kind != "inproc"], indirect=True
)
inproc_only = pytest.mark.parametrize("link", ["inproc"], indirect=True)

_serial = itertools.count()


# Below those that the system gives to connections, which would be in our way (ip(7)).
_ports = itertools.cycle(range(20_000 + os.getpid() % 100 * 100, 32_000))


def free_port() -> int:
    """Return a TCP port that nobody uses at this moment, another one each time."""
    for port in _ports:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("the cycle has no end")


class Opener(Protocol):
    """Whoever opens sockets: SocketFactory here, PeerProcess there."""

    def open(self, socket_type: int, **options: Any) -> Socket:
        """Open a socket; see SocketFactory.open."""


class Link:
    """One way to meet: makes endpoints, near sockets (here) and far ones (perhaps elsewhere)."""

    def __init__(self, kind: str, near: Opener, far: Opener, directory: Path) -> None:
        self.kind = kind
        self._near = near
        self._far = far
        self._directory = directory

    @property
    def takes_time(self) -> bool:
        """Whether messages are on the way for a while, and so many of them, when they are sent.

        They go through I/O threads or workers then, and the kernel; else they are there at once.
        """
        if self.kind in ("tcp", *LIBZMQ_KINDS):
            return True
        return IS_LIBZMQ and self.kind != "inproc"

    @property
    def has_libzmq(self) -> bool:
        """Whether one end at least is libzmq's."""
        return IS_LIBZMQ or self.kind in LIBZMQ_KINDS

    def endpoint(self) -> str:
        """Return an endpoint that nobody else uses."""
        if self.kind in ("tcp", "tcp-libzmq"):
            return f"tcp://127.0.0.1:{free_port()}"
        serial = next(_serial)
        if self.kind == "inproc":
            return f"inproc://end-{serial}"
        if self.kind in ("ipc-path", "ipc-libzmq"):
            return f"ipc://{self._directory}/s{serial}"
        # Abstract names are shared by all processes of the machine.
        return f"ipc://@shmzmq-test-{os.getpid()}-{serial}"

    def near(self, socket_type: int, **options: Any) -> Socket:
        """Open a socket in this process; takes what SocketFactory.open takes."""
        return self._near.open(socket_type, **options)

    def far(self, socket_type: int, **options: Any) -> Socket:
        """Open a socket at the far end, which for "ipc-process" is the peer process."""
        return self._far.open(socket_type, **options)

    def pair(
        self,
        near_type: int,
        far_type: int,
        near: Mapping[str, Any] | None = None,
        far: Mapping[str, Any] | None = None,
    ) -> tuple[Socket, Socket]:
        """Return a near socket, bound, and a far one connected to it, each with these options."""
        endpoint = self.endpoint()
        return (
            self.near(near_type, bind=endpoint, **(near or {})),
            self.far(far_type, connect=endpoint, **(far or {})),
        )
