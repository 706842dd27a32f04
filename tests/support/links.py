"""The ways in which two sockets can meet; the contract is the same over each of them."""

import itertools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest

from support.library import Socket

# "ipc-process": the far socket lives in another process. The others keep both ends in this one.
LOCAL_KINDS = ("inproc", "ipc-path", "ipc-abstract")
IPC_KINDS = ("ipc-path", "ipc-abstract", "ipc-process")
KINDS = (*LOCAL_KINDS, "ipc-process")

# For tests that need both ends in this process, that need a connection, or that need to know that
# what was sent has arrived when send() returns.
local_only = pytest.mark.parametrize("link", LOCAL_KINDS, indirect=True)
ipc_only = pytest.mark.parametrize("link", IPC_KINDS, indirect=True)
local_ipc_only = pytest.mark.parametrize("link", ["ipc-path", "ipc-abstract"], indirect=True)
inproc_only = pytest.mark.parametrize("link", ["inproc"], indirect=True)

_serial = itertools.count()


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

    def endpoint(self) -> str:
        """Return an endpoint that nobody else uses."""
        serial = next(_serial)
        if self.kind == "inproc":
            return f"inproc://end-{serial}"
        if self.kind == "ipc-path":
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
