"""Holds a transport to what it promises: whatever goes wrong in it is an OSError.

A transport may be anyone's plugin. What it does wrong costs the endpoint or the attempt that asked
it, whose application hears of it, and not the worker with all its other connections.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..errors import ZMQError
from ..transports.interface import Dialling, Listener, Opening, Options, Transport
from ..transports.registry import find_transport

if TYPE_CHECKING:
    import socket


def guarded_transport(scheme: str) -> Transport:
    """Return the transport for *scheme*, guarded. Raises OSError when this process has none."""
    with _as_os_error(f"the transport {scheme}:// cannot be loaded"):
        return Guarded(find_transport(scheme))


class Guarded(Transport):
    """*transport*, whose slots raise OSError and nothing else."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._failed = f"the transport {transport.scheme}:// failed"
        self.scheme = transport.scheme
        self.capabilities = transport.capabilities

    def check(self, address: str, *, binding: bool) -> str:
        """Not called in a worker (Transport)."""
        with _as_os_error(self._failed):
            return self._transport.check(address, binding=binding)

    def lookup(
        self, address: str, options: Options, *, binding: bool
    ) -> Callable[[], Dialling] | None:
        """Return what looks the address up, guarded too (Transport)."""
        with _as_os_error(self._failed):
            seek = self._transport.lookup(address, options, binding=binding)
        return None if seek is None else self._guard(seek)

    def listen(self, address: str, options: Options) -> Listener:
        """Bind and listen (Transport)."""
        with _as_os_error(self._failed):
            listener = self._transport.listen(address, options)
        return listener._replace(close=self._guard(listener.close))

    def adopt(self, stream: socket.socket, options: Options) -> Listener:
        """Accept on a stream that listens already (Transport)."""
        with _as_os_error(self._failed):
            listener = self._transport.adopt(stream, options)
        return listener._replace(close=self._guard(listener.close))

    def dial(self, address: str, options: Options) -> socket.socket:
        """Begin to connect (Transport)."""
        with _as_os_error(self._failed):
            return self._transport.dial(address, options)

    def opening(self, address: str, options: Options) -> Opening | None:
        """Return what is to be said first, guarded too (Transport)."""
        with _as_os_error(self._failed):
            opening = self._transport.opening(address, options)
        return None if opening is None else _GuardedOpening(opening, self._failed)

    def opened(self, stream: socket.socket, options: Options, *, accepted: bool) -> str:
        """Make a connection ready (Transport)."""
        with _as_os_error(self._failed):
            return self._transport.opened(stream, options, accepted=accepted)

    def _guard(self, call: Callable[[], Any]) -> Callable[[], Any]:
        def guarded() -> Any:
            with _as_os_error(self._failed):
                return call()

        return guarded


class _GuardedOpening(Opening):
    """What is said first, with errors to match."""

    def __init__(self, opening: Opening, failed: str) -> None:
        self._opening = opening
        self._failed = failed

    @property
    def wanted(self) -> int:
        """How many octets may be given next (Opening)."""
        with _as_os_error(self._failed):
            return self._opening.wanted

    def data_to_send(self) -> bytes:
        """Return what is to be sent now (Opening)."""
        with _as_os_error(self._failed):
            return self._opening.data_to_send()

    def receive_data(self, data: bytes) -> None:
        """Take octets (Opening)."""
        with _as_os_error(self._failed):
            self._opening.receive_data(data)


@contextlib.contextmanager
def _as_os_error(what: str) -> Iterator[None]:
    """Turn any other exception into an OSError: a ZMQError keeps its number and its words."""
    try:
        yield
    except OSError:
        raise
    except ZMQError as error:
        raise OSError(error.errno or errno.EIO, error.strerror) from error
    except Exception as error:
        raise OSError(errno.EIO, f"{what}: {error!r}") from error
