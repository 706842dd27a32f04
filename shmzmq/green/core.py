"""A socket that waits on its descriptor in gevent's hub, and its context."""

from __future__ import annotations

import warnings
from typing import Any

import gevent

from .. import context, socket
from ..constants import DONTWAIT, EVENTS, POLLIN, RCVTIMEO, SNDTIMEO
from ..errors import Again
from ..socket_base import SocketBase

_TIMEOUTS = (RCVTIMEO, SNDTIMEO)


def wait_readable(fd: int) -> None:
    """Let other greenlets run until *fd* is readable."""
    hub = gevent.get_hub()
    watcher = hub.loop.io(fd, 1)
    try:
        hub.wait(watcher)
    finally:
        watcher.close()


class Socket(socket.Socket):
    """A socket whose blocking calls let other greenlets run. Use gevent.Timeout to limit them."""

    def send(self, data: Any, flags: int = 0, *args: Any, **kwargs: Any) -> Any:
        """Send one part, as the package's Socket does."""
        while True:
            try:
                return SocketBase.send(self.core, data, flags | DONTWAIT, *args, **kwargs)
            except Again:
                if flags & DONTWAIT:
                    raise
            self._wait()

    def recv(self, flags: int = 0, *args: Any, **kwargs: Any) -> Any:
        """Receive one part, as the package's Socket does."""
        while True:
            try:
                return SocketBase.recv(self.core, flags | DONTWAIT, *args, **kwargs)
            except Again:
                if flags & DONTWAIT:
                    raise
            self._wait()

    def _wait(self) -> None:
        fd = self.fileno()
        before = self.get(EVENTS)  # from here on the descriptor tells of changes
        if not before & POLLIN or self.get(EVENTS) == before:
            wait_readable(fd)

    def poll(self, timeout: float | None = None, flags: int = POLLIN) -> int:
        """Wait up to *timeout* ms for the events in *flags*; return those that hold, 0: none."""
        from .poll import Poller

        poller = Poller()
        poller.register(self, flags)
        return int(dict(poller.poll(timeout)).get(self, 0))

    def set(self, option: int, value: Any) -> None:
        """Set an option. RCVTIMEO and SNDTIMEO do not count here, which a UserWarning says."""
        self._warn(option)
        super().set(option, value)

    def get(self, option: int) -> Any:
        """Return the value of an option."""
        self._warn(option)
        return super().get(option)

    setsockopt = set
    getsockopt = get

    def _warn(self, option: int) -> None:
        if option in _TIMEOUTS:
            warnings.warn(
                "timeouts of green sockets have no effect; use gevent.Timeout",
                UserWarning,
                stacklevel=4,
            )


class Context(context.Context):
    """A context whose sockets are gevent's."""

    _socket_class = Socket
