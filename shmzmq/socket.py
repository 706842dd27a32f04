"""Sockets as the user holds them, from their making to their end, and the news that they act upon.

Sending and receiving are in socket_base, options in socket_options, bind and connect in
socket_endpoints.
"""

from __future__ import annotations

import contextlib
import errno
import warnings
import weakref
from collections import deque
from types import GenericAlias
from typing import TYPE_CHECKING, Any, cast

from .arrays import ArrayFormats
from .attendant import one_call
from .attributes import public_name
from .constants import (
    LINGER,
    POLLIN,
    SocketType,
)
from .errors import ContextTerminated, ZMQError
from .keepers.far_end import FarEnd, refuse
from .keepers.inproc import InprocBind
from .keepers.keeper import EndpointKeeper
from .monitor import Monitored
from .options import OptionValues
from .patterns import new_pattern
from .pipe import Pipe
from .shadow import shadow_class
from .shm.board import Control, create_board
from .shm.layout import Slot
from .socket_endpoints import SocketEndpoints

if TYPE_CHECKING:
    from types import TracebackType

    from .context import Context

_sockets: weakref.WeakValueDictionary[int, Socket] = weakref.WeakValueDictionary()


class Socket(Monitored, SocketEndpoints, ArrayFormats):
    """A ZeroMQ socket of *context*; made by ``context.socket(socket_type)``.

    Threads: one at a time; a socket may move between threads. A forked child must make its own.
    Options are attributes too (``socket.linger = 0``). Closed at the end of a ``with`` block.
    """

    __slots__ = ("_shadow_obj",)  # not shared with the original

    def __class_getitem__(cls, what: Any) -> GenericAlias:
        """Allow annotations such as ``Socket[bytes]``, which pyzmq's users write."""
        return GenericAlias(cls, what)

    def __new__(cls, context: Context | Socket, *args: Any, **kwargs: Any) -> Socket:
        """Make a socket, or a shadow of the one that is given in the context's place."""
        kind = shadow_class(cls) if isinstance(context, Socket) else cls
        made: Socket = super().__new__(kind)
        return made

    def __init__(
        self,
        context: Context | Socket,
        socket_type: int = -1,
        copy_threshold: int | None = None,
        **_: Any,
    ) -> None:
        if isinstance(context, Socket):
            self._shadow_obj: Socket | None = context
            object.__setattr__(self, "__dict__", context.__dict__)
            return
        self._shadow_obj = None
        values = self.__dict__
        values["context"] = context
        values["options"] = OptionValues(socket_type)
        values["closed"] = True  # until everything is there
        values["events"] = deque()
        values["_postponed"] = []
        values["_failures"] = deque()
        values["_keepers"] = []
        values["_stopped"] = []
        values["_fd_in_use"] = False
        pattern = new_pattern(SocketType(socket_type))
        board = create_board()
        self.set_up(board, pattern)
        if copy_threshold is not None:
            self.copy_threshold = copy_threshold
        self.use_pool(context.pool)
        slot = context.directory.add(Slot.SOCKET, pattern.name)
        values["_slot"] = slot
        self.count_in(slot)
        values["key"] = slot.key
        values["_workers"] = set()
        values["closed"] = False
        context.enrol(self)
        _sockets[self.underlying] = self

    @property
    def core(self) -> Socket:
        """The socket itself, also where this is a shadow of it."""
        original: Socket | None = self._shadow_obj
        return self if original is None else original.core

    @property
    def _shadow(self) -> bool:
        return self._shadow_obj is not None

    @classmethod
    def shadow(cls, address: int | Socket) -> Socket:
        """Return a socket of this class that is the one given, or that has this `underlying`.

        Raises ZMQError(ENOTSOCK) for a number that stands for no socket of this process.
        """
        original = address if isinstance(address, Socket) else _sockets.get(address)
        if original is None:
            raise ZMQError(errno.ENOTSOCK, f"{address!r} stands for no socket of this process")
        return cls(original)

    def __copy__(self) -> Socket:
        return type(self.core).shadow(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Socket:
        return self.__copy__()

    # -- a socket's end ----------------------------------------------------------------------------

    @one_call
    def close(self, linger: int | None = None) -> None:
        """Close the socket; *linger* in ms sets LINGER first.

        Does not block; closing twice is fine.

        What was sent to a peer that shares memory with us can be read by it from now on; all else
        is handed over or written to the network within LINGER (-1: for ever), and Context.term
        waits for that.
        """
        if self._shadow:
            return self.core.close(linger)
        if self.closed or self.generation_is_stale():
            return None
        if linger is not None and not self._is_ended():
            self.options.set(LINGER, linger)
        linger_ms = self.linger_ms()
        self.__dict__["closed"] = True
        context = self.context
        with context.lock:
            try:
                self._close_endpoints(linger_ms)
            finally:
                self.set_gone()
                self._slot.free()
                context.dismiss(self)
                self._workers.clear()
                self.release()

    def _close_endpoints(self, linger_ms: int) -> None:
        """Let every endpoint go, also when a worker that carries some of them is gone."""
        keepers = (*self._keepers, *self._stopped)
        for keeper in keepers:
            keeper.hold(self)
        with contextlib.suppress(ZMQError):
            self._handle_events()
        monitor = self.context.monitors.get(self.key)
        if monitor is not None:
            monitor.socket_closes()
        self.pattern.rollback()
        for keeper in keepers:
            with contextlib.suppress(ZMQError):
                keeper.close(linger_ms)
        self._keepers.clear()
        self._stopped.clear()
        for link in self._workers:
            with contextlib.suppress(ZMQError):
                link.remove_socket(self.key)
        self._stop_monitor()

    def __del__(self) -> None:
        if getattr(self, "_shadow_obj", None) is not None:
            return
        if "closed" in self.__dict__ and not self.closed and not self.generation_is_stale():
            try:
                warnings.warn(
                    f"unclosed socket {self!r}", ResourceWarning, stacklevel=2, source=self
                )
            finally:  # also where warnings are errors, which nobody catches here
                self.close()

    def __enter__(self) -> Socket:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = " closed" if self.closed else ""
        return f"<{public_name(self)}(zmq.{self.pattern.name}) at {id(self):#x}{state}>"

    def why_gone(self) -> None:
        """Raise why this socket cannot be used: ContextTerminated or ZMQError(ENOTSOCK)."""
        if not self.closed and self._is_ended():
            raise ContextTerminated
        raise ZMQError(errno.ENOTSOCK, "this socket is closed")

    def linger_ms(self) -> int:
        """Return LINGER as it counts here: subscriptions alone need not be delivered."""
        return int(cast("int", self.options[LINGER])) if self.pattern.lingers else 0

    # -- news --------------------------------------------------------------------------------------

    def on_control(self, flags: int) -> None:
        """Handle control posts: the worker's events, inproc visitors."""
        if flags & Control.EVENT:
            self._handle_events()
        if flags & Control.ATTACH:
            for keeper in (*self._keepers, *self._stopped):
                if isinstance(keeper, InprocBind):
                    keeper.take_up_visits()

    def _handle_events(self) -> None:
        """Act upon what the workers have written about this socket's endpoints."""
        if self._failures:
            raise self._failures.popleft()
        self.events.extend(self._postponed)
        self._postponed.clear()
        self.context.collect_events(self)
        while self.events:
            keeper, event, far_end = self.events.popleft()
            if keeper.key in self.context.keepers:
                keeper.handle(event, far_end)
            else:
                refuse(event)

    def attend(self) -> bool:
        """Act upon the workers' events on another thread; false while a call is under way here.

        That call, or the next one, acts upon them then. What goes wrong is raised by the next one.
        """
        if not self.borrow():
            return bool(self.closed or self._is_ended())
        try:
            self._handle_events()
        except ZMQError as error:
            self.fail(error)
        finally:
            # Somebody may sleep on FD who was told of events before they had their effect.
            self.board.notify(Control.EVENT)
            self.give_back()
        return not self._postponed

    @property
    def is_behind(self) -> bool:
        """Whether an event of a worker has not been acted upon yet."""
        return bool(self.events or self._postponed)

    def fail(self, error: ZMQError) -> None:
        """Have the next call raise *error*."""
        self._failures.append(error)
        self.board.notify(Control.EVENT)

    def postpone(self, event: tuple[EndpointKeeper, Any, FarEnd | None]) -> None:
        """Have *event* come again in a while: what it takes is not to be had now."""
        self._postponed.append(event)

    def on_pipe_ended(self, pipe: Pipe) -> None:
        """Nothing can come from *pipe* any more: its keeper lets it go."""
        assert pipe.link is not None, "a socket holds no pipe without a keeper"
        pipe.link.pipe_ended(pipe)

    def let_go(self, pipe: Pipe, *, lingers: bool = False) -> None:
        """Take *pipe* out of routing and off the board (see Pipe.let_go)."""
        self.pattern.detach(pipe)
        self.drop_pipe(pipe)
        pipe.let_go(lingers)

    def report(self, text: str) -> None:
        """Log what a peer did wrong, under the logger ``shmzmq``."""
        import logging

        logging.getLogger("shmzmq").info("%r: %s", self, text)

    @property
    def underlying(self) -> int:
        """A number that stands for this socket in this process."""
        return id(self.core)

    def poll(self, timeout: float | None = None, flags: int = POLLIN) -> int:
        """Wait up to *timeout* ms (None: for ever) for the events in *flags*.

        Return those that hold, 0: none.
        """
        timeout_ms = -1 if timeout is None or timeout < 0 else int(timeout)
        return int(self.poll_events(flags, timeout_ms))
