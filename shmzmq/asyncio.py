"""Sockets for asyncio: what may block returns a future instead, and waits in the event loop.

``Context``, ``Socket`` and ``Poller`` are used as their namesakes in the package, with ``await``
before send, recv, poll and all that is made of them. A call is begun when it is made, not when it
is awaited. RCVTIMEO and SNDTIMEO count from then on. A socket belongs to one event loop at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from . import context, poll, socket
from .batch_sources import source_of
from .batches import Batches
from .constants import DONTWAIT, EVENTS, POLLIN, POLLOUT
from .errors import Again, ZMQError
from .pending import PendingCalls
from .socket_base import SocketBase

__all__ = ["Context", "Poller", "Socket", "ZMQEventLoop"]

ZMQEventLoop = asyncio.SelectorEventLoop

Result = TypeVar("Result")
Future = asyncio.Future


class Socket(socket.Socket):
    """A socket whose send, recv and poll return futures. Threads: its event loop's.

    Cancelling a future that is not done takes no message from the socket. Closing the socket
    cancels all of them.
    """

    def __init__(self, context: Any = None, socket_type: int = -1, **kwargs: Any) -> None:
        super().__init__(context, socket_type, **kwargs)
        if "_pending" not in self.__dict__:
            self.__dict__["_pending"] = PendingCalls(self.core, eager=self._shadow)

    @classmethod
    def from_socket(cls, socket: socket.Socket, io_loop: Any = None) -> Socket:
        """Return a socket of this class that is the one given."""
        return cls(socket)

    def close(self, linger: int | None = None) -> None:
        """Close the socket; whoever waits on it is cancelled."""
        pending = self.__dict__.get("_pending")
        if pending is not None:
            pending.stop()
        super().close(linger)

    def get(self, option: int) -> Any:
        """Return the value of an option."""
        value = super().get(option)
        if option == EVENTS and not self._pending.is_idle():
            self._pending.look_soon()
        return value

    getsockopt = get

    @property
    def _recv_futures(self) -> Any:
        """The calls that wait for a message, by the name that pyzmq's own tests have for it."""
        return self._pending.receiving

    # The types of what is returned differ from those of the blocking sockets, as they must.

    def _receive(
        self, attempt: Callable[[int], Result], flags: int, timeout_ms: int | None = None
    ) -> Future[Result]:
        if not self.exposed:
            self._open_check()
            self.fileno()  # from here on a call that fails has the descriptor tell of news
        limit_ms = self.receive_timeout_ms if timeout_ms is None else timeout_ms
        future: Future[Result] = self._pending.begin(attempt, flags, POLLIN, limit_ms)
        return future

    def _send(
        self,
        attempt: Callable[[int], Result],
        flags: int,
        so_far: Callable[[], Any] | None = None,
    ) -> Future[Result]:
        if not self.exposed:
            self._open_check()
            self.fileno()
        future: Future[Result] = self._pending.begin(
            attempt, flags, POLLOUT, self.send_timeout_ms, so_far
        )
        return future

    def _blocking(self) -> socket.Socket:
        """Return this socket with the methods that do not return futures."""
        return socket.Socket(self)

    def send(  # type: ignore[override]
        self, data: Any, flags: int = 0, copy: bool = True, track: bool = False, **kwargs: Any
    ) -> Future[Any]:
        """Send one part, as Socket.send does, and return a future of its result."""
        core = self.core
        return self._send(
            lambda now: SocketBase.send(core, data, now, copy, track, **kwargs), flags
        )

    def recv(  # type: ignore[override]
        self, flags: int = 0, copy: bool = True, track: bool = False
    ) -> Future[Any]:
        """Return a future of one part."""
        core = self.core
        return self._receive(lambda now: SocketBase.recv(core, now, copy, track), flags)

    def send_multipart(  # type: ignore[override]
        self,
        msg_parts: Sequence[Any],
        flags: int = 0,
        copy: bool = True,
        track: bool = False,
        **kwargs: Any,
    ) -> Future[Any]:
        """Send all parts of a message; nothing else comes in between."""
        blocking, parts = self._blocking(), list(msg_parts)
        return self._send(
            lambda now: blocking.send_multipart(parts, now, copy, track, **kwargs), flags
        )

    def recv_multipart(  # type: ignore[override]
        self, flags: int = 0, copy: bool = True, track: bool = False
    ) -> Future[list[Any]]:
        """Return a future of all parts of one message."""
        blocking = self._blocking()
        return self._receive(lambda now: blocking.recv_multipart(now, copy, track), flags)

    def recv_into(  # type: ignore[override]
        self, buffer: Any, /, *, nbytes: int = 0, flags: int = 0
    ) -> Future[int]:
        """Receive one part into *buffer*; return a future of its size (see Socket.recv_into)."""
        blocking = self._blocking()
        return self._receive(
            lambda now: blocking.recv_into(buffer, nbytes=nbytes, flags=now), flags
        )

    def send_many(  # type: ignore[override]
        self, messages: Any, flags: int = 0, *, offsets: Any = None, multipart: bool = False
    ) -> Future[int]:
        """Send many messages, as Socket.send_many does; return a future of how many were sent.

        What has been sent when it is cancelled stays sent; SNDTIMEO ends it and tells how many.
        """
        core, source = self.core, source_of(messages, offsets, multipart)

        def send_rest(now: int) -> int:
            try:
                while source.sent < source.count:
                    Batches.send_rest(core, source, now)
            except Again:
                if not (source.sent and flags & DONTWAIT):
                    raise
            except ZMQError:
                if not source.sent:
                    raise
            return source.sent

        return self._send(send_rest, flags, lambda: source.sent)

    def recv_many(  # type: ignore[override]
        self,
        max_messages: int = 1024,
        timeout: int | None = None,
        flags: int = 0,
        *,
        multipart: bool = False,
    ) -> Future[list[Any]]:
        """Return a future of the messages that are there, as Socket.recv_many does."""
        core = self.core
        return self._receive(
            lambda now: Batches.recv_many(core, max_messages, 0, now, multipart=multipart),
            flags | DONTWAIT if timeout == 0 else flags,
            timeout,
        )

    def recv_packed(  # type: ignore[override]
        self, max_messages: int = 1024, timeout: int | None = None, flags: int = 0
    ) -> Future[Any]:
        """Return a future of the messages that are there, packed as by Socket.recv_packed."""
        core = self.core
        return self._receive(
            lambda now: Batches.recv_packed(core, max_messages, 0, now),
            flags | DONTWAIT if timeout == 0 else flags,
            timeout,
        )

    def recv_string(self, flags: int = 0, encoding: str = "utf-8") -> Future[str]:  # type: ignore[override]
        """Return a future of one part as text."""
        blocking = self._blocking()
        return self._receive(lambda now: blocking.recv_string(now, encoding), flags)

    recv_unicode = recv_string  # type: ignore[assignment]

    def recv_json(self, flags: int = 0, **kwargs: Any) -> Future[Any]:
        """Return a future of an object from JSON; keywords go to json.loads."""
        blocking = self._blocking()
        return self._receive(lambda now: blocking.recv_json(now, **kwargs), flags)

    def recv_pyobj(self, flags: int = 0, **kwargs: Any) -> Future[Any]:
        """Return a future of an object sent with send_pyobj; keywords as in Socket.recv_pyobj.

        Unpickling runs code of the sender's choice.
        """
        blocking = self._blocking()
        return self._receive(lambda now: blocking.recv_pyobj(now, **kwargs), flags)

    def recv_array(self, flags: int = 0, **kwargs: Any) -> Future[Any]:  # type: ignore[override]
        """Return a future of an array sent with send_array; keywords as in Socket.recv_array."""
        blocking = self._blocking()
        return self._receive(lambda now: blocking.recv_array(now, **kwargs), flags)

    def recv_serialized(  # type: ignore[override]
        self, deserialize: Callable[[list[Any]], Result], flags: int = 0, copy: bool = True
    ) -> Future[Result]:
        """Return a future of ``deserialize(parts)`` of one message."""
        blocking = self._blocking()
        return self._receive(lambda now: blocking.recv_serialized(deserialize, now, copy), flags)

    def poll(self, timeout: float | None = None, flags: int = POLLIN) -> Future[int]:  # type: ignore[override]
        """Return a future of those events in *flags* that hold within *timeout* ms, 0: none."""
        self._open_check()
        poller = Poller()
        if flags:
            poller.register(self, flags)
        return _begun(self._poll_by(poller, timeout), timeout)

    async def _poll_by(self, poller: Poller, timeout: float | None) -> int:
        return int(dict(await poller.events(timeout)).get(self, 0))


def _begun(waiting: Any, timeout: float | None) -> Future[Any]:
    """Return a future of a coroutine's result; with *timeout* 0, when it does not wait, done."""
    loop = asyncio.get_running_loop()
    if timeout != 0:
        return loop.create_task(waiting)
    future = loop.create_future()
    try:
        waiting.send(None)
    except StopIteration as end:
        future.set_result(end.value)
    except Exception as error:
        future.set_exception(error)
    return future


class Poller(poll.Poller):
    """A Poller whose poll returns a future."""

    def poll(self, timeout: float | None = None) -> Future[list[tuple[Any, int]]]:  # type: ignore[override]
        """Return a future of (socket, events) pairs; in *timeout* ms (None: for ever) it is done.

        It is cancelled when one of the sockets is closed. Raises ZMQError(ENOTSOCK) when one is.
        """
        if any(item.closed for item in self._wanted if isinstance(item, socket.Socket)):
            super().poll(0)  # raises what stands in the way
        return _begun(self.events(timeout), timeout)

    async def events(self, timeout: float | None = None) -> list[tuple[Any, int]]:
        """Do what `poll` says, as a coroutine."""
        loop = asyncio.get_running_loop()
        deadline = None if timeout is None or timeout < 0 else loop.time() + timeout / 1000
        while not (found := self._look()):
            if deadline is not None and loop.time() >= deadline:
                break
            news: Future[None] = loop.create_future()
            with contextlib.ExitStack() as watched:
                if deadline is not None:
                    watched.callback(loop.call_at(deadline, _tell, news).cancel)
                for item, flags in self._wanted.items():
                    _watch(loop, item, flags, news, watched)
                await news
        return found

    def _look(self) -> list[tuple[Any, int]]:
        if any(item.closed for item in self._wanted if isinstance(item, socket.Socket)):
            raise asyncio.CancelledError  # it was open when poll was called
        return super().poll(0)


def _tell(news: Future[None]) -> None:
    if not news.done():
        news.set_result(None)


def _watch(
    loop: asyncio.AbstractEventLoop,
    item: Any,
    flags: int,
    news: Future[None],
    watched: contextlib.ExitStack,
) -> None:
    """Have *news* done when *item* may have one of *flags*, until *watched* is left."""
    if isinstance(item, socket.Socket):
        known = item if isinstance(item, Socket) else Socket.from_socket(item)
        pending: PendingCalls = known._pending
        watched.callback(pending.unwatch, news)
        pending.watch(news, flags)
        return
    # A descriptor of its own, as the loop keeps one reader for each.
    fd = os.dup(item)
    watched.callback(os.close, fd)
    if flags & POLLIN:
        loop.add_reader(fd, _tell, news)
        watched.callback(loop.remove_reader, fd)
    if flags & POLLOUT:
        loop.add_writer(fd, _tell, news)
        watched.callback(loop.remove_writer, fd)


class Context(context.Context):
    """A context whose sockets are asyncio's."""

    _socket_class = Socket
