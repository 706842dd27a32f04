"""inproc: between sockets of one context (zmq_inproc(7)). The context joins the pipes itself."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, NoReturn

from shmzmq.constants import SocketType
from shmzmq.errors import ZMQError

from .interface import Capabilities, Carries, Options, Transport

if TYPE_CHECKING:
    import socket

_LONGEST = 256


class InprocTransport(Transport):
    """Names that mean something inside one context only."""

    scheme = "inproc"
    capabilities = Capabilities(
        Carries.DIRECT, socket_types=frozenset(SocketType.__members__) - {"STREAM"}
    )

    def check(self, address: str, *, binding: bool) -> str:
        """Any name of 1 to 256 characters will do."""
        if len(address) > _LONGEST:
            raise ZMQError(
                errno.ENAMETOOLONG,
                f"the inproc name {address[:40]!r}… has {len(address)} characters, "
                f"at most {_LONGEST}",
            )
        return address

    def listen(self, address: str, options: Options) -> NoReturn:
        """There is nothing to listen on: raises NotImplementedError."""
        raise NotImplementedError("inproc endpoints are joined by their context")

    def dial(self, address: str, options: Options) -> socket.socket:
        """There is nothing to dial: raises NotImplementedError."""
        raise NotImplementedError("inproc endpoints are joined by their context")
