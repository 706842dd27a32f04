"""Sockets as the user holds them: endpoints, options, and an end.

Sending and receiving are in socket_base.

A program that imports the package should not wait for what it may never use: modules that speak
with workers are imported when the first worker is needed.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import warnings
import weakref
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from .arrays import ArrayFormats
from .attributes import OptionAttributes, public_name
from .constants import (
    AFFINITY,
    ENOCOMPATPROTO,
    EVENTS,
    FD,
    LAST_ENDPOINT,
    LINGER,
    POLLIN,
    RCVHWM,
    RCVMORE,
    RCVTIMEO,
    ROUTER_RAW,
    ROUTING_ID,
    SNDHWM,
    SNDTIMEO,
    SUBSCRIBE,
    TOPICS_COUNT,
    UNSUBSCRIBE,
    PollEvent,
    SocketOption,
    SocketType,
)
from .endpoints import Endpoint, parse_endpoint
from .errors import ContextTerminated, ZMQBindError, ZMQError
from .inproc import InprocBind, InprocConnect
from .keeper import EndpointKeeper, FarEnd, no_such_endpoint, refuse
from .monitor import Monitored
from .options import OptionValues
from .patterns import new_pattern, raw_router
from .pipe import Pipe
from .shadow import shadow_class
from .shm.board import Control, create_board
from .shm.layout import Slot
from .socket_base import fork_generation

if TYPE_CHECKING:
    from types import TracebackType

    from .context import Context
    from .transports.interface import Transport
    from .workers.pool import WorkerLink

_ACTS = (SUBSCRIBE, UNSUBSCRIBE)

_sockets: weakref.WeakValueDictionary[int, Socket] = weakref.WeakValueDictionary()

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def _one_call(
    method: Callable[Concatenate[Socket, _Arguments], _Result],
) -> Callable[Concatenate[Socket, _Arguments], _Result]:
    """Keep the attendant out of the socket while *method* runs, as send and recv do."""

    @functools.wraps(method)
    def call(self: Socket, /, *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        self.enter()
        try:
            return method(self, *args, **kwargs)
        finally:
            self.leave()

    return call


class Socket(Monitored, OptionAttributes, ArrayFormats):
    """A ZeroMQ socket of *context*; made by ``context.socket(socket_type)``.

    Threads: one at a time; a socket may move between threads. A forked child must make its own.
    Options are attributes too (``socket.linger = 0``). Closed at the end of a ``with`` block.
    """

    __slots__ = ("_shadow_obj",)  # not shared with the original

    _option_names = SocketOption

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

    @_one_call
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
            warnings.warn(f"unclosed socket {self!r}", ResourceWarning, stacklevel=2, source=self)
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

    def generation_is_stale(self) -> bool:
        """Whether this is a forked child's copy of its parent's socket."""
        return bool(self.context.generation != fork_generation())

    def _is_ended(self) -> bool:
        return bool(self.context.is_terminating)

    def why_gone(self) -> None:
        """Raise why this socket cannot be used: ContextTerminated or ZMQError(ENOTSOCK)."""
        if not self.closed and self._is_ended():
            raise ContextTerminated
        raise ZMQError(errno.ENOTSOCK, "this socket is closed")

    def linger_ms(self) -> int:
        """Return LINGER as it counts for this type: subscriptions need not be delivered."""
        return int(cast("int", self.options[LINGER])) if self.pattern.lingers else 0

    # -- endpoints ---------------------------------------------------------------------------------

    @_one_call
    def bind(self, addr: str | bytes) -> Bound:
        """Accept connections at *addr*; returns when it listens.

        Usable as ``with socket.bind(…):``.
        Raises ZMQError: EINVAL, EPROTONOSUPPORT, ENOCOMPATPROTO, EADDRINUSE, EADDRNOTAVAIL,
        ENAMETOOLONG, or what else the system says to it.
        """
        try:
            endpoint, transport = self._resolve(addr, binding=True)
        except ZMQError as error:
            self.note_refused_bind(addr, error)
            raise
        keeper: EndpointKeeper
        if transport.capabilities.carries.is_direct:
            keeper = InprocBind(self.core, endpoint)
        else:
            from .connections import WorkerBind

            keeper = WorkerBind(self.core, endpoint, self._worker())
        return self._keep(keeper)

    @_one_call
    def connect(self, addr: str | bytes) -> Bound:
        """Connect to *addr*, now or as soon as somebody is there; returns at once.

        Raises ZMQError: EINVAL, EPROTONOSUPPORT, ENAMETOOLONG, or ENOBUFS when /dev/shm is full.
        """
        endpoint, transport = self._resolve(addr, binding=False)
        keeper: EndpointKeeper
        if transport.capabilities.carries.is_direct:
            keeper = InprocConnect(self.core, endpoint)
        else:
            from .connections import WorkerConnect

            keeper = WorkerConnect(self.core, endpoint, self._worker())
        return self._keep(keeper)

    @_one_call
    def unbind(self, addr: str | bytes) -> None:
        """Stop accepting at *addr*; who is connected stays.

        Raises ZMQError(ENOENT) if it is not bound.
        """
        self._stop(addr, "bound")

    @_one_call
    def disconnect(self, addr: str | bytes) -> None:
        """End the connection to *addr*. Raises ZMQError(ENOENT) if there is none."""
        self._stop(addr, "connected")

    def bind_to_random_port(
        self, addr: str, min_port: int = 49152, max_port: int = 65536, max_tries: int = 100
    ) -> int:
        """Bind to ``addr:port`` with a free port of [min_port, max_port); return the port.

        Raises ZMQBindError when *max_tries* ports were all taken.
        """
        if min_port == 49152 and max_port == 65536:
            self.bind(f"{addr}:*")
            return int(cast("bytes", self.last_endpoint).rpartition(b":")[2])
        import random

        for _ in range(max_tries):
            port = random.randrange(min_port, max_port)
            try:
                self.bind(f"{addr}:{port}")
            except ZMQError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
            else:
                return port
        raise ZMQBindError("Could not bind socket to random port.")

    def _resolve(self, addr: str | bytes, *, binding: bool) -> tuple[Endpoint, Transport]:
        from .transports.registry import find_transport

        self._open_check()
        endpoint = parse_endpoint(addr)
        try:
            transport = find_transport(endpoint.scheme)
        except ZMQError as error:
            raise ZMQError(error.errno, f"{str(endpoint)!r}: {error}") from None
        served = transport.capabilities.socket_types
        if served is not None and self.pattern.name not in served:
            kind = self.pattern.name
            raise ZMQError(ENOCOMPATPROTO, f"{str(endpoint)!r}: not a transport for {kind} sockets")
        try:
            address = transport.check(endpoint.address, binding=binding)
        except ZMQError as error:
            raise ZMQError(error.errno, f"{str(endpoint)!r}: {error}") from None
        return endpoint._replace(address=address), transport

    def forget_endpoint(self, keeper: EndpointKeeper) -> None:
        """The user has ended it by other means than `disconnect`."""
        if keeper in self._keepers:
            self._keepers.remove(keeper)

    def _open_check(self) -> None:
        if self.closed or self._is_ended() or self.generation_is_stale():
            self.poll_events(0)  # raises what stands in the way

    def _worker(self) -> WorkerLink:
        """Return the worker for a new endpoint, which knows this socket from now on."""
        workers, context = self._workers, self.context
        affinity = int(cast("int", self.options[AFFINITY]))
        link: WorkerLink = context.choose_worker(affinity)
        if link not in workers:
            workers.add(link)
            link.add_socket(self.key, self.board)
            if self.key in context.monitors:
                self.announce_monitor(link)
        return link

    def _keep(self, keeper: EndpointKeeper) -> Bound:
        self._keepers.append(keeper)
        self.options.note(LAST_ENDPOINT, keeper.endpoint.encode("utf-8", "surrogateescape"))
        return Bound(self, keeper.endpoint, keeper.is_bound)

    def _stop(self, addr: str | bytes, what: str) -> None:
        resolved, _ = self._resolve(addr, binding=what == "bound")
        endpoint = str(resolved)
        self.poll_events(0)
        ours = [keeper for keeper in self._keepers if keeper.is_bound == (what == "bound")]
        # LAST_ENDPOINT names one of them; what the user wrote, wildcards and all, may name several.
        named = [keeper for keeper in ours if keeper.endpoint == endpoint]
        for keeper in named or [keeper for keeper in ours if keeper.written == endpoint]:
            self._keepers.remove(keeper)
            keeper.stop()
            if keeper.is_bound:
                self._stopped.append(keeper)  # it still has the pipes of those who connected
            return
        raise no_such_endpoint(endpoint, what)

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
            return bool(self.closed)
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

    def let_go(self, pipe: Pipe) -> None:
        """Take *pipe* out of routing and off the board."""
        self.pattern.detach(pipe)
        self.drop_pipe(pipe)
        pipe.let_go()

    def report(self, text: str) -> None:
        """Log what a peer did wrong, under the logger ``shmzmq``."""
        import logging

        logging.getLogger("shmzmq").info("%r: %s", self, text)

    # -- options -----------------------------------------------------------------------------------

    @_one_call
    def set(self, option: int, value: Any) -> None:
        """Set *option* (zmq_setsockopt(3)).

        Raises ZMQError(EINVAL) for an unknown option or a value that it does not take, TypeError
        for a value of the wrong type; nothing is changed then.
        """
        self._open_check()
        held = self.options.set(option, value)
        if option == ROUTER_RAW:
            self._set_raw(bool(held))
        if option == SNDTIMEO:
            self.send_timeout_ms = value
        elif option == RCVTIMEO:
            self.receive_timeout_ms = value
        elif option in (SNDHWM, RCVHWM):
            for keeper in (*self._keepers, *self._stopped):
                keeper.marks_changed()
        self.pattern.configure(SocketOption(option).name, held)
        if option in _ACTS:
            self.poll_events(0)

    def _set_raw(self, raw: bool) -> None:
        """Speak plain TCP, or ZMTP; an endpoint that is there already stands in the way of both."""
        if self._keepers or self._stopped or raw == (self.pattern.name == "STREAM"):
            return
        self.change_pattern(raw_router() if raw else new_pattern(self.socket_type))
        for name, held in self.options.snapshot().items():
            self.pattern.configure(name, held)

    def get(self, option: int) -> Any:
        """Return the value of *option*: an int or bytes.

        Raises ZMQError(EINVAL) when it has none.
        """
        self._open_check()
        if option == RCVMORE:
            return int(self.more)
        if option == EVENTS:
            return PollEvent(self.arm() if self._fd_in_use else self.poll_events())
        if option == FD:
            return self._expose_fd()
        if option == TOPICS_COUNT:
            self.options.get(option)  # raises what stands in the way
            self.poll_events(0)
            return self.pattern.topics_count()
        value = self.options.get(option)
        return value if option != ROUTING_ID else self.pattern.own_routing_id() or value

    setsockopt = set
    getsockopt = get

    @_one_call
    def _expose_fd(self) -> int:
        self.__dict__["_fd_in_use"] = True
        self.exposed = True
        if self.arm() & POLLIN:
            self.ring()
        return int(self.board.doorbell.fileno())

    def set_string(self, option: int, optval: str, encoding: str = "utf-8") -> None:
        """Set an option that takes bytes from text."""
        if not isinstance(optval, str):
            raise TypeError(f"set_string takes str, not {type(optval).__name__}: {optval!r}")
        self.set(option, optval.encode(encoding))

    def get_string(self, option: int, encoding: str = "utf-8") -> str:
        """Return an option that has bytes as text."""
        value = self.get(option)
        if not isinstance(value, bytes):
            raise TypeError(f"option {option!r} is not text: {value!r}")
        return value.decode(encoding)

    setsockopt_string = setsockopt_unicode = set_string
    getsockopt_string = getsockopt_unicode = get_string

    def subscribe(self, topic: str | bytes) -> None:
        """Ask for messages that begin with *topic* (SUB)."""
        self.set(SUBSCRIBE, topic.encode() if isinstance(topic, str) else topic)

    def unsubscribe(self, topic: str | bytes) -> None:
        """Take back one subscription to *topic* (SUB)."""
        self.set(UNSUBSCRIBE, topic.encode() if isinstance(topic, str) else topic)

    def set_hwm(self, value: int) -> None:
        """Set both high water marks, SNDHWM and RCVHWM, in messages."""
        self.set(SNDHWM, value)
        self.set(RCVHWM, value)

    def get_hwm(self) -> int:
        """Return SNDHWM."""
        return int(self.get(SNDHWM))

    hwm = property(get_hwm, set_hwm, None, "Both high water marks, in messages.")

    @property
    def socket_type(self) -> SocketType:
        """The socket's type."""
        return SocketType(self.options.socket_type)

    @property
    def type(self) -> SocketType:
        """The socket's type."""
        return self.socket_type

    @property
    def underlying(self) -> int:
        """A number that stands for this socket in this process."""
        return id(self.core)

    def fileno(self) -> int:
        """Return FD, so that select and selectors take the socket; see EVENTS for what it tells."""
        return int(self.get(FD))

    def poll(self, timeout: float | None = None, flags: int = POLLIN) -> int:
        """Wait up to *timeout* ms (None: for ever) for the events in *flags*.

        Return those that hold, 0: none.
        """
        timeout_ms = -1 if timeout is None or timeout < 0 else int(timeout)
        return int(self.poll_events(flags, timeout_ms))


class Bound:
    """What bind and connect return: a ``with`` block gives the endpoint up again at its end."""

    def __init__(self, socket: Socket, endpoint: str, is_bound: bool) -> None:
        self.socket = socket
        self.addr = endpoint
        self.is_bound = is_bound

    def __enter__(self) -> Socket:
        return self.socket

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.socket.closed:
            return
        try:
            (self.socket.unbind if self.is_bound else self.socket.disconnect)(self.addr)
        except ZMQError as failure:
            if error is not None or failure.errno != errno.ENOENT:
                raise

    def __repr__(self) -> str:
        how = "bind" if self.is_bound else "connect"
        return f"<{type(self).__qualname__}({how}={self.addr!r})>"
