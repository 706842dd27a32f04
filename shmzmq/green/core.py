"""A socket that waits on its descriptor in gevent's hub, and its context."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import gevent

from .. import context, socket
from ..batch_sources import source_of
from ..batches import Batches
from ..constants import DONTWAIT, EVENTS, POLLIN, RCVTIMEO, SNDTIMEO
from ..errors import Again, ZMQError
from ..socket_base import SocketBase

Result = TypeVar("Result")

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

    def send_many(
        self, messages: Any, flags: int = 0, *, offsets: Any = None, multipart: bool = False
    ) -> int:
        """Send many messages, as the package's Socket does, and return how many were sent."""
        source = source_of(messages, offsets, multipart)
        try:
            while source.sent < source.count:
                try:
                    Batches.send_rest(self.core, source, flags | DONTWAIT)
                except Again:
                    if flags & DONTWAIT:
                        raise
                    self._wait()
        except ZMQError:
            if source.sent == 0:
                raise
        except BaseException as error:
            error.messages_sent = source.sent  # type: ignore[attr-defined]
            raise
        return source.sent

    def recv_many(
        self,
        max_messages: int = 1024,
        timeout: int | None = None,
        flags: int = 0,
        *,
        multipart: bool = False,
    ) -> list[Any]:
        """Receive the messages that are there, as the package's Socket does."""
        return self._until(
            lambda now: Batches.recv_many(self.core, max_messages, 0, now, multipart=multipart),
            flags,
            timeout,
        )

    def recv_packed(
        self, max_messages: int = 1024, timeout: int | None = None, flags: int = 0
    ) -> Any:
        """Receive the messages that are there, packed, as the package's Socket does."""
        return self._until(
            lambda now: Batches.recv_packed(self.core, max_messages, 0, now), flags, timeout
        )

    def _until(self, call: Callable[[int], Result], flags: int, timeout_ms: int | None) -> Result:
        """Call until it does not raise Again, for *timeout_ms*; None or negative: for ever."""
        if timeout_ms == 0:
            flags |= DONTWAIT
        limit = None if timeout_ms is None or timeout_ms < 0 else timeout_ms / 1000
        in_time = gevent.Timeout(limit)
        with in_time:
            while True:
                try:
                    return call(flags | DONTWAIT)
                except Again:
                    if flags & DONTWAIT:
                        raise
                try:
                    self._wait()
                except gevent.Timeout as timeout:
                    if timeout is not in_time:
                        raise
                    raise Again(msg=f"nothing came within {timeout_ms} ms") from None

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
