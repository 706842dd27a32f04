"""Sockets for asyncio: what may block returns a future instead, and waits in the event loop.

``Context``, ``Socket`` and ``Poller`` are used as their namesakes in the package, with ``await``
before send, recv, poll and all that is made of them. A socket belongs to the loop that runs when it
first waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from . import context, poll, socket
from .batch_sources import source_of
from .batches import Batches
from .constants import DONTWAIT, EVENTS, POLLIN, POLLOUT, RCVTIMEO, SNDMORE, SNDTIMEO
from .errors import Again, ZMQError
from .socket_base import SocketBase

__all__ = ["Context", "Poller", "Socket"]

Result = TypeVar("Result")


class _Bell:
    """Wakes whoever waits for a descriptor, in the order in which they came."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._waiting: list[asyncio.Future[None]] = []

    async def wait(self) -> None:
        """Return when the descriptor is readable, or when another's wait has seen it so."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        if not self._waiting:
            loop.add_reader(self._fd, self._ring)
        self._waiting.append(future)
        try:
            await future
        finally:
            if future in self._waiting:
                self._waiting.remove(future)
                self._rest(loop)

    def _ring(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._rest(asyncio.get_running_loop())
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def _rest(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._waiting:
            loop.remove_reader(self._fd)

    def stop(self) -> None:
        """The descriptor is about to be closed: waits are cancelled."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            future.get_loop().remove_reader(self._fd)
            future.cancel()


class Socket(socket.Socket):
    """A socket whose send, recv and poll are to be awaited. Threads: its event loop's."""

    def __init__(self, context: Any, socket_type: int = -1, **kwargs: Any) -> None:
        super().__init__(context, socket_type, **kwargs)
        self.__dict__.setdefault("_bell", None)

    def close(self, linger: int | None = None) -> None:
        """Close the socket; whoever waits on it is cancelled."""
        if self._bell is not None:
            self._bell.stop()
            self.__dict__["_bell"] = None
        super().close(linger)

    def _attempt(
        self,
        call: Callable[[int], Result],
        flags: int,
        timeout_option: int,
        timeout_ms: int | None = None,
    ) -> asyncio.Future[Result]:
        """Call with DONTWAIT, now and whenever there is news, until it does not raise Again.

        It may take *timeout_ms*, or as long as the option *timeout_option* says.
        """
        loop = asyncio.get_running_loop()
        if self._bell is None and not self.closed:
            self.__dict__["_bell"] = _Bell(self.fileno())
        future: asyncio.Future[Result] = loop.create_future()
        try:
            future.set_result(call(flags | DONTWAIT))
        except Again as error:
            if not flags & DONTWAIT:
                limit_ms = self.get(timeout_option) if timeout_ms is None else timeout_ms
                return loop.create_task(self._repeat(call, flags, limit_ms))
            future.set_exception(error)
        except Exception as error:
            future.set_exception(error)
        return future

    async def _repeat(self, call: Callable[[int], Result], flags: int, timeout_ms: int) -> Result:
        limit = None if timeout_ms < 0 else timeout_ms / 1000
        try:
            async with asyncio.timeout(limit):
                while True:
                    await self._bell.wait()
                    try:
                        return call(flags | DONTWAIT)
                    except Again:
                        continue
        except TimeoutError:
            raise Again(msg=f"not done within {timeout_ms} ms") from None

    # The types of what is returned differ from those of the blocking sockets, as they must.

    def send(  # type: ignore[override]
        self, data: Any, flags: int = 0, copy: bool = True, track: bool = False, **kwargs: Any
    ) -> Awaitable[Any]:
        """Send one part, as Socket.send does, and return a future of its result."""
        return self._attempt(
            lambda now: SocketBase.send(self.core, data, now, copy, track, **kwargs),
            flags,
            SNDTIMEO,
        )

    def recv(  # type: ignore[override]
        self, flags: int = 0, copy: bool = True, track: bool = False
    ) -> Awaitable[Any]:
        """Return a future of one part."""
        return self._attempt(
            lambda now: SocketBase.recv(self.core, now, copy, track), flags, RCVTIMEO
        )

    def send_multipart(  # type: ignore[override]
        self,
        msg_parts: Sequence[Any],
        flags: int = 0,
        copy: bool = True,
        track: bool = False,
        **kwargs: Any,
    ) -> Awaitable[Any]:
        """Send all parts of a message; nothing else comes in between."""
        parts = list(msg_parts)

        def send_all(now: int) -> Any:
            for part in parts[:-1]:
                SocketBase.send(self.core, part, now | SNDMORE, copy, track)
            return SocketBase.send(self.core, parts[-1], now, copy, track)

        return self._attempt(send_all, flags, SNDTIMEO)

    def recv_multipart(  # type: ignore[override]
        self, flags: int = 0, copy: bool = True, track: bool = False
    ) -> Awaitable[list[Any]]:
        """Return a future of all parts of one message."""

        def receive_all(now: int) -> list[Any]:
            parts = [SocketBase.recv(self.core, now, copy, track)]
            while self.more:
                parts.append(SocketBase.recv(self.core, now, copy, track))
            return parts

        return self._attempt(receive_all, flags, RCVTIMEO)

    async def send_many(  # type: ignore[override]
        self, messages: Any, flags: int = 0, *, offsets: Any = None, multipart: bool = False
    ) -> int:
        """Send many messages, as Socket.send_many does, and return how many were sent.

        What ends it early, as cancelling does, has the attribute `messages_sent`.
        """
        source = source_of(messages, offsets, multipart)

        def send_rest(now: int) -> None:
            while source.sent < source.count:
                Batches.send_rest(self.core, source, now)

        try:
            await self._attempt(send_rest, flags, SNDTIMEO)
        except ZMQError:
            if source.sent == 0:
                raise
        except BaseException as error:
            error.messages_sent = source.sent  # type: ignore[attr-defined]
            raise
        return source.sent

    def recv_many(  # type: ignore[override]
        self,
        max_messages: int = 1024,
        timeout: int | None = None,
        flags: int = 0,
        *,
        multipart: bool = False,
    ) -> Awaitable[list[Any]]:
        """Return a future of the messages that are there, as Socket.recv_many does."""
        return self._attempt(
            lambda now: Batches.recv_many(self.core, max_messages, 0, now, multipart=multipart),
            flags,
            RCVTIMEO,
            timeout,
        )

    def recv_packed(  # type: ignore[override]
        self, max_messages: int = 1024, timeout: int | None = None, flags: int = 0
    ) -> Awaitable[Any]:
        """Return a future of the messages that are there, packed as by Socket.recv_packed."""
        return self._attempt(
            lambda now: Batches.recv_packed(self.core, max_messages, 0, now),
            flags,
            RCVTIMEO,
            timeout,
        )

    async def recv_string(self, flags: int = 0, encoding: str = "utf-8") -> str:  # type: ignore[override]
        """Receive one part as text."""
        text: str = (await self.recv(flags)).decode(encoding)
        return text

    recv_unicode = recv_string  # type: ignore[assignment]

    async def recv_json(self, flags: int = 0, **kwargs: Any) -> Any:
        """Receive JSON; keywords go to json.loads."""
        import json

        return json.loads(await self.recv(flags), **kwargs)

    async def recv_pyobj(
        self, flags: int = 0, *, out_of_band: bool = False, copy: bool = True
    ) -> Any:
        """Receive an object sent with send_pyobj. Unpickling runs code of the sender's choice.

        *out_of_band* and *copy* are those of the blocking socket.
        """
        import pickle

        if not out_of_band:
            return pickle.loads(await self.recv(flags))
        whole, *frames = await self.recv_multipart(flags, copy=False)
        buffers: list[Any] = [bytearray(frame) if copy else frame for frame in frames]
        return pickle.loads(whole, buffers=buffers)

    async def recv_serialized(  # type: ignore[override]
        self, deserialize: Callable[[list[Any]], Result], flags: int = 0, copy: bool = True
    ) -> Result:
        """Return ``deserialize(parts)`` of one message."""
        return deserialize(await self.recv_multipart(flags, copy))

    async def poll(self, timeout: float | None = None, flags: int = POLLIN) -> int:  # type: ignore[override]
        """Wait up to *timeout* ms for the events in *flags*; return those that hold, 0: none."""
        poller = Poller()
        poller.register(self, flags)
        return int(dict(await poller.poll(timeout)).get(self, 0))


class Poller(poll.Poller):
    """A Poller whose poll is to be awaited."""

    async def poll(self, timeout: float | None = None) -> list[tuple[Any, int]]:  # type: ignore[override]
        """Wait up to *timeout* ms (None or negative: for ever); return (socket, events) pairs."""
        limit = None if timeout is None or timeout < 0 else timeout / 1000
        loop = asyncio.get_running_loop()
        found: list[tuple[Any, int]] = []
        with contextlib.suppress(TimeoutError), contextlib.ExitStack() as watched:
            async with asyncio.timeout(limit):
                news = asyncio.Event()
                for item, flags in self._wanted.items():
                    self._watch(loop, item, flags, news, watched)
                while not (found := super().poll(0)):
                    news.clear()
                    if self._arm():
                        continue
                    await news.wait()
        return found or super().poll(0)

    def _arm(self) -> bool:
        """Have every socket's descriptor tell of news; true when one of them has some already."""
        return any(
            item.get(EVENTS) & flags
            for item, flags in self._wanted.items()
            if isinstance(item, socket.Socket)
        )

    @staticmethod
    def _watch(
        loop: asyncio.AbstractEventLoop,
        item: Any,
        flags: int,
        news: asyncio.Event,
        watched: contextlib.ExitStack,
    ) -> None:
        is_socket = isinstance(item, socket.Socket)
        # A descriptor of its own, as the loop keeps one reader for each.
        fd = os.dup(item.fileno() if is_socket else item)
        watched.callback(os.close, fd)
        if is_socket or flags & POLLIN:
            loop.add_reader(fd, news.set)
            watched.callback(loop.remove_reader, fd)
        if not is_socket and flags & POLLOUT:
            loop.add_writer(fd, news.set)
            watched.callback(loop.remove_writer, fd)


class Context(context.Context):
    """A context whose sockets are asyncio's."""

    _socket_class = Socket
