"""A socket that waits on its descriptor in gevent's hub, and its context."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from typing import Any

import gevent

from .. import context, socket
from ..batch_sources import source_of
from ..batches import Batches
from ..constants import DONTWAIT, EVENTS, POLLIN, POLLOUT, RCVTIMEO, SNDTIMEO
from ..errors import Again, ZMQError
from ..socket_base import SocketBase

_TIMEOUTS = (RCVTIMEO, SNDTIMEO)
_PAUSE_S = 0.005


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

    def __init__(self, context: Any, socket_type: int = -1, **kwargs: Any) -> None:
        super().__init__(context, socket_type, **kwargs)
        # What each greenlet waits for here: POLLIN or POLLOUT.
        self.__dict__.setdefault("_awaited", [])

    def send(self, data: Any, flags: int = 0, *args: Any, **kwargs: Any) -> Any:
        """Send one part, as the package's Socket does."""
        return self._repeat(
            lambda: SocketBase.send(self.core, data, flags | DONTWAIT, *args, **kwargs),
            flags,
            POLLOUT,
        )

    def recv(self, flags: int = 0, *args: Any, **kwargs: Any) -> Any:
        """Receive one part, as the package's Socket does."""
        return self._repeat(
            lambda: SocketBase.recv(self.core, flags | DONTWAIT, *args, **kwargs), flags, POLLIN
        )

    def send_many(
        self, messages: Any, flags: int = 0, *, offsets: Any = None, multipart: bool = False
    ) -> int:
        """Send many messages, as the package's Socket does, and return how many were sent."""
        source = source_of(messages, offsets, multipart)
        try:
            while source.sent < source.count:
                self._repeat(
                    lambda: Batches.send_rest(self.core, source, flags | DONTWAIT), flags, POLLOUT
                )
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
        received: list[Any] = self._within(
            timeout,
            lambda: Batches.recv_many(
                self.core, max_messages, 0, flags | DONTWAIT, multipart=multipart
            ),
            flags,
        )
        return received

    def recv_packed(
        self, max_messages: int = 1024, timeout: int | None = None, flags: int = 0
    ) -> Any:
        """Receive the messages that are there, packed, as the package's Socket does."""
        return self._within(
            timeout,
            lambda: Batches.recv_packed(self.core, max_messages, 0, flags | DONTWAIT),
            flags,
        )

    def _within(self, timeout_ms: int | None, call: Callable[[], Any], flags: int) -> Any:
        """Repeat the call for *timeout_ms* at most; None or negative: for ever."""
        if timeout_ms == 0:
            flags |= DONTWAIT
        limit = gevent.Timeout(timeout_ms / 1000) if timeout_ms and timeout_ms > 0 else None
        try:
            with limit or contextlib.nullcontext():
                return self._repeat(call, flags, POLLIN)
        except gevent.Timeout as timeout:
            if timeout is not limit:
                raise
            raise Again(msg=f"nothing came within {timeout_ms} ms") from None

    def _repeat(self, call: Callable[[], Any], flags: int, event: int) -> Any:
        if not self.closed and not self.exposed:
            self.fileno()  # from here on a call that fails has the descriptor tell of news
        in_vain = False
        while True:
            try:
                result = call()
            except Again:
                if flags & DONTWAIT:
                    self._pass_on()
                    raise
                in_vain = self._wait(event, in_vain)
            else:
                self._pass_on()
                return result

    def _wait(self, event: int, in_vain: bool) -> bool:
        """Wait until a call that failed may succeed; whether EVENTS says that it would have.

        What comes between the call and the look at EVENTS has rung the doorbell, which the look
        silences. When EVENTS said the same before (*in_vain*) the call is more choosy than it is:
        ROUTER_MANDATORY waits for one peer.
        """
        self._awaited.append(event)
        try:
            fd = self.fileno()
            found = self._pass_on(event)
            if not found & event:
                wait_readable(fd)
            elif in_vain:
                gevent.sleep(_PAUSE_S)
            return bool(found & event)
        finally:
            self._awaited.remove(event)

    def _pass_on(self, own: int = 0) -> int:
        """Wake the greenlets whose news a call here may have found and silenced."""
        others = list(self._awaited)
        if own:
            others.remove(own)
        if self.closed or not (others or own):
            return 0
        found = int(self.get(EVENTS))
        if any(found & event for event in others):
            self.ring()
        return found

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
