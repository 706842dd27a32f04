"""ZMQStream: callbacks of a socket in tornado's loop."""

from __future__ import annotations

import asyncio
import pickle
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from tornado.ioloop import IOLoop
from tornado.log import gen_log

from .. import asyncio as zmq_asyncio
from ..constants import DONTWAIT, EVENTS, FD, POLLIN, POLLOUT
from ..errors import Again, ZMQError
from ..poll import Poller
from ..socket import Socket
from ..utils import jsonapi

__all__ = ["ZMQStream", "gen_log"]

Callback = Callable[..., Any]

# How many messages are received or sent before other handlers of the loop have their turn.
_BATCH = 64


class ZMQStream:
    """A socket in a tornado loop: what comes is given to callbacks, what is sent waits in a queue.

    Threads: the loop's. Use the stream and not the socket to send, receive and close.
    """

    def __init__(self, socket: Socket, io_loop: IOLoop | None = None) -> None:
        if isinstance(socket, zmq_asyncio.Socket):
            warnings.warn(
                f"ZMQStream takes a blocking socket, and uses {socket!r} as one",
                RuntimeWarning,
                stacklevel=2,
            )
            socket = Socket.shadow(socket)
        self.socket = socket
        self.io_loop = io_loop or IOLoop.current()
        self.poller = Poller()
        self._on_recv: Callback | None = None
        self._on_send: Callback | None = None
        self._on_close: Callback | None = None
        self._copy = True
        self._queue: deque[tuple[list[Any], dict[str, Any]]] = deque()
        self._due = False
        self._fd: int | None = int(socket.get(FD))
        self.bind = socket.bind
        self.bind_to_random_port = socket.bind_to_random_port
        self.connect = socket.connect
        self.setsockopt = socket.setsockopt
        self.getsockopt = socket.getsockopt
        self.io_loop.add_handler(self._fd, self._ring, IOLoop.READ)
        self._soon()

    # -- callbacks ---------------------------------------------------------------------------------

    def on_recv(self, callback: Callback | None, copy: bool = True) -> None:
        """Have *callback* get the parts of each message that comes; None: receive no more.

        Parts are bytes, or Frames when *copy* is false. A coroutine function may be given.
        """
        self._on_recv = _checked(callback)
        self._copy = copy
        self._soon()

    def on_recv_stream(self, callback: Callback | None, copy: bool = True) -> None:
        """As `on_recv`, for a *callback* that gets this stream before the parts."""
        if callback is None:
            self.stop_on_recv()
        else:
            _checked(callback)
            self.on_recv(lambda parts: callback(self, parts), copy)

    def stop_on_recv(self) -> None:
        """Receive no more."""
        self.on_recv(None)

    def on_send(self, callback: Callback | None) -> None:
        """Have *callback* get the parts of each message that is sent, and send's result."""
        self._on_send = _checked(callback)

    def on_send_stream(self, callback: Callback | None) -> None:
        """As `on_send`, for a *callback* that gets this stream before all else."""
        if callback is None:
            self.stop_on_send()
        else:
            _checked(callback)
            self.on_send(lambda parts, status: callback(self, parts, status))

    def stop_on_send(self) -> None:
        """Tell of what is sent no more."""
        self.on_send(None)

    def on_err(self, callback: Callback | None) -> None:
        """Take *callback* and never call it: nothing that is its to hear happens to a socket."""
        _checked(callback)

    def stop_on_err(self) -> None:
        """Undo `on_err`."""

    def set_close_callback(self, callback: Callback | None) -> None:
        """Have *callback* called when the stream is closed."""
        self._on_close = _checked(callback)

    # -- sending -----------------------------------------------------------------------------------

    def send(
        self,
        msg: Any,
        flags: int = 0,
        copy: bool = True,
        track: bool = False,
        callback: Callback | None = None,
        **kwargs: Any,
    ) -> None:
        """Send one part as soon as a peer takes it; see `send_multipart`."""
        self.send_multipart([msg], flags, copy, track, callback, **kwargs)

    def send_multipart(
        self,
        msg: Sequence[Any],
        flags: int = 0,
        copy: bool = True,
        track: bool = False,
        callback: Callback | None = None,
        **kwargs: Any,
    ) -> None:
        """Send the parts of a message as soon as a peer takes it, behind those that wait.

        Does not block. *callback* is for `on_send`.
        """
        kwargs.update(flags=flags, copy=copy, track=track)
        self._queue.append((list(msg), kwargs))
        if callback is not None:
            self.on_send(callback)
        self._soon()

    def send_string(
        self,
        u: str,
        flags: int = 0,
        encoding: str = "utf-8",
        callback: Callback | None = None,
        **kwargs: Any,
    ) -> None:
        """Send text as bytes in *encoding*. Raises TypeError for anything but str."""
        if not isinstance(u, str):
            raise TypeError(f"send_string takes str, not {type(u).__name__}: {u!r:.80}")
        self.send(u.encode(encoding), flags, callback=callback, **kwargs)

    send_unicode = send_string

    def send_json(
        self, obj: Any, flags: int = 0, callback: Callback | None = None, **kwargs: Any
    ) -> None:
        """Send *obj* as JSON."""
        self.send(jsonapi.dumps(obj), flags, callback=callback, **kwargs)

    def send_pyobj(
        self,
        obj: Any,
        flags: int = 0,
        protocol: int = -1,
        callback: Callback | None = None,
        **kwargs: Any,
    ) -> None:
        """Send any picklable object."""
        self.send(pickle.dumps(obj, protocol), flags, callback=callback, **kwargs)

    # -- state -------------------------------------------------------------------------------------

    def receiving(self) -> bool:
        """Whether messages are received for a callback."""
        return self._on_recv is not None

    def sending(self) -> bool:
        """Whether messages wait to be sent."""
        return bool(self._queue)

    def closed(self) -> bool:
        """Whether the stream or its socket is closed."""
        if self.socket.closed:
            self._leave_loop()
        return bool(self.socket.closed)

    def flush(self, flag: int = POLLIN | POLLOUT, limit: int | None = None) -> int:
        """Receive (POLLIN) and send (POLLOUT) what can be at once, *limit* messages at most.

        Return how many were.
        """
        count = 0
        while limit is None or count < limit:
            received = bool(flag & POLLIN) and self._receive_one()
            sent = bool(flag & POLLOUT) and self._send_one()
            if not received and not sent:
                break
            count += received + sent
        self._soon()
        return count

    def close(self, linger: int | None = None) -> None:
        """Close the socket (see Socket.close) and leave the loop; what waits is not sent."""
        was_open = self._fd is not None
        if was_open and self.socket.closed:
            warnings.warn(
                f"the handler of descriptor {self._fd} is removed after closing socket "
                f"{self.socket!r}: close the stream, which closes both",
                stacklevel=2,
            )
        self._leave_loop()
        self.socket.close(linger)
        if was_open and self._on_close is not None:
            self._run(self._on_close)

    # -- the loop ----------------------------------------------------------------------------------

    def _leave_loop(self) -> None:
        if self._fd is not None:
            self.io_loop.remove_handler(self._fd)
            self._fd = None

    def _ring(self, *_: Any) -> None:
        """The descriptor tells of news."""
        if not self.socket.closed:
            self._turn()

    def _soon(self) -> None:
        """Look at the socket in the loop's next round."""
        if not self._due and self._fd is not None:
            self._due = True
            self.io_loop.add_callback(self._due_turn)

    def _due_turn(self) -> None:
        self._due = False
        if self._fd is None:
            return
        if self.socket.closed:
            gen_log.warning("there is work for the closed socket %r", self.socket)
            return
        self._turn()

    def _turn(self) -> None:
        for _ in range(_BATCH):
            if not self._receive_one() and not self._send_one():
                break
        if self._fd is None or self.socket.closed:
            return
        # From here on the descriptor tells of changes; what holds already is for another round.
        found = int(self.socket.get(EVENTS))
        wanted = (POLLIN if self.receiving() else 0) | (POLLOUT if self._queue else 0)
        if found & wanted:
            self._soon()

    def _receive_one(self) -> bool:
        """Receive a message for the callback; false when there is none, or nobody wants it."""
        if self._on_recv is None or self.socket.closed:
            return False
        try:
            parts = self.socket.recv_multipart(DONTWAIT, copy=self._copy)
        except Again:
            return False
        except ZMQError as error:
            gen_log.error("receiving failed: %s", error)
            return False
        self._run(self._on_recv, parts)
        return True

    def _send_one(self) -> bool:
        """Send the message that waits longest; false when there is none, or no peer takes it."""
        if not self._queue or self.socket.closed:
            return False
        parts, kwargs = self._queue[0]
        status: Any
        try:
            status = self.socket.send_multipart(
                parts, **(kwargs | {"flags": kwargs["flags"] | DONTWAIT})
            )
        except Again:
            return False
        except ZMQError as error:
            gen_log.error("sending failed: %s", error)
            status = error
        self._queue.popleft()
        if self._on_send is not None:
            self._run(self._on_send, parts, status)
        return True

    def _run(self, callback: Callback, *args: Any) -> None:
        """Call *callback*; what it raises is logged, now and when it is a coroutine that ends."""
        try:
            result = callback(*args)
            if asyncio.iscoroutine(result) or asyncio.isfuture(result):
                asyncio.ensure_future(result).add_done_callback(_log_failure)
        except Exception:
            gen_log.exception("Uncaught exception in ZMQStream callback")
            raise


def _log_failure(future: asyncio.Future[Any]) -> None:
    if not future.cancelled() and future.exception() is not None:
        gen_log.error("Uncaught exception in ZMQStream callback", exc_info=future.exception())


def _checked(callback: Callback | None) -> Callback | None:
    assert callback is None or callable(callback), f"a callback is called, not {callback!r}"
    return callback
