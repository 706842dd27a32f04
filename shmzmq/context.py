"""Contexts: what the sockets of a process share, its I/O workers, and the orderly end of it all."""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import threading
import warnings
import weakref
from typing import TYPE_CHECKING, Any, ClassVar

from .attendant import attendant
from .attributes import OptionAttributes, public_name
from .constants import LINGER, ContextOption, Errno, SocketOption, SocketType
from .errors import ZMQError
from .inproc import InprocNames
from .keeper import PeerBoards, Replaced, refuse
from .placement import Placement
from .shm import segment as segments
from .shm.blocks import Pool
from .shm.board import Control
from .shm.directory import Directory
from .shm.liveness import this_process
from .socket import Socket
from .socket_base import fork_generation

if TYPE_CHECKING:
    from types import TracebackType

    from .keeper import EndpointKeeper
    from .shm.board import Board
    from .workers.pool import WorkerGone, WorkerLink, WorkerPool

_DEFAULTS: dict[int, int] = {
    ContextOption.IO_THREADS: 1,
    ContextOption.MAX_SOCKETS: 1023,
    ContextOption.BLOCK_POOL_SIZE: 256 << 20,
}
_LEAST: dict[int, int] = {
    ContextOption.IO_THREADS: 0,
    ContextOption.MAX_SOCKETS: 1,
    ContextOption.BLOCK_POOL_SIZE: 0,
}
_READ_ONLY: dict[int, int] = {ContextOption.SOCKET_LIMIT: 65535}


class Context(OptionAttributes):
    """The container of sockets. *io_threads* is the most I/O worker processes that it will start.

    Threads: any. ``with`` ends it. A forked child must make its own.
    Socket options set as attributes are defaults for sockets made later.
    """

    __slots__ = ("_shadow", "_shadow_obj")  # not shared with those that it shadows

    _option_names = ContextOption
    _instance: ClassVar[Context | None] = None
    _instance_pid: ClassVar[int | None] = None
    _instance_lock: ClassVar[threading.Lock] = threading.Lock()
    _socket_class: type[Socket] = Socket

    def __init__(self, io_threads: int | Context = 1, **kwargs: Any) -> None:
        self._shadow = isinstance(io_threads, Context)
        self._shadow_obj = io_threads if isinstance(io_threads, Context) else None
        if isinstance(io_threads, Context):
            # One state, two objects: whatever becomes of the one becomes of the other.
            object.__setattr__(self, "__dict__", io_threads.__dict__)
            return
        values = self.__dict__
        values["generation"] = fork_generation()
        values["lock"] = threading.RLock()
        values["_changed"] = threading.Condition(self.lock)  # a socket closed, or one has lingered
        values["closed"] = True  # until everything is there
        values["is_terminating"] = False
        values["_options"] = {}
        values["sockopts"] = {}
        values["_sockets"] = weakref.WeakValueDictionary()
        values["_open_sockets"] = {}
        values["keepers"] = {}
        values["lingering"] = {}
        values["monitors"] = {}
        values["peer_boards"] = PeerBoards()
        values["inproc"] = InprocNames()
        values["_pool"] = None
        values["_placement"] = Placement()
        values["_boards_in_use"] = {}
        self.set(ContextOption.IO_THREADS, io_threads)
        _sweep_once()
        values["directory"] = Directory()
        values["pool"] = Pool(self.get(ContextOption.BLOCK_POOL_SIZE))
        values["closed"] = False
        with _contexts_lock:
            _contexts.add(self)
        for name, value in kwargs.items():
            setattr(self, name, value)

    # -- one context for everybody -----------------------------------------------------------------

    @classmethod
    def instance(cls, io_threads: int = 1) -> Context:
        """Return the process's shared context of this class.

        Made when there is none, or it has ended.
        """
        with cls._instance_lock:
            current = cls._instance
            if current is None or cls._instance_pid != os.getpid() or current.closed:
                cls._instance = current = cls(io_threads=io_threads)
                cls._instance_pid = os.getpid()
        return current

    @classmethod
    def shadow(cls, address: int | Context) -> Context:
        """Return another object for the same context: one to be shared, or its `underlying`.

        The context ends with the original, not with its shadows.
        Raises ZMQError(EFAULT) for a number that stands for no context of this process.
        """
        if isinstance(address, Context):
            return cls(address)
        with _contexts_lock:
            for context in _contexts:
                if context.underlying == address:
                    return cls(context)
        raise ZMQError(errno.EFAULT, f"{address!r} stands for no context of this process")

    def __copy__(self) -> Context:
        return self.shadow(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Context:
        return self.shadow(self)

    # -- options -----------------------------------------------------------------------------------

    def set(self, option: int, optval: int) -> None:
        """Set a context option.

        Raises ZMQError(EINVAL) for an unknown option or a value it does not take.
        """
        if not isinstance(optval, int):
            raise TypeError(f"a context option is an int, not {type(optval).__name__}: {optval!r}")
        if Placement.has(option):
            self._placement.set(option, optval)
            return
        if option not in _LEAST:
            raise ZMQError(errno.EINVAL, f"context option {option!r} cannot be set")
        if optval < _LEAST[option]:
            name = ContextOption(option).name
            raise ZMQError(errno.EINVAL, f"{name} is a number from {_LEAST[option]}, not {optval}")
        self._options[option] = optval
        if option == ContextOption.BLOCK_POOL_SIZE:
            self.pool.limit = optval

    def get(self, option: int) -> int:
        """Return a context option. Raises ZMQError(EINVAL) for an unknown one."""
        for values in (self._options, _DEFAULTS, _READ_ONLY):
            if option in values:
                return int(values[option])
        if Placement.has(option):
            return int(self._placement.get(option))
        raise ZMQError(errno.EINVAL, f"context option {option!r} is unknown")

    def setsockopt(self, opt: int, value: Any) -> None:
        """Set the default of a socket option for sockets made from now on."""
        self.sockopts[opt] = value

    def getsockopt(self, opt: int) -> Any:
        """Return the default of a socket option that was set with setsockopt."""
        return self.sockopts[opt]

    def _set_attribute(self, key: str, option: Any, value: Any) -> None:
        self.set(option, value)

    def __setattr__(self, key: str, value: Any) -> None:
        if key.upper() in SocketOption.__members__ and key.upper() not in ContextOption.__members__:
            self.sockopts[SocketOption[key.upper()]] = value
        else:
            super().__setattr__(key, value)

    def __getattr__(self, key: str) -> Any:
        option = SocketOption.__members__.get(key.upper())
        if option is not None and key.upper() not in ContextOption.__members__:
            try:
                return self.__dict__["sockopts"][option]
            except KeyError:
                raise AttributeError(f"no default was set for the socket option {key!r}") from None
        return super().__getattr__(key)

    @property
    def underlying(self) -> int:
        """A number that stands for this context in this process."""
        return id(self.__dict__)

    # -- sockets -----------------------------------------------------------------------------------

    def socket(
        self, socket_type: int, socket_class: type[Socket] | None = None, **kwargs: Any
    ) -> Socket:
        """Make a socket.

        Raises ZMQError: EINVAL for an unknown type, ETERM, EMFILE, ENOBUFS, EFAULT.
        """
        self._check()
        if len(self._open_sockets) >= self.get(ContextOption.MAX_SOCKETS):
            raise ZMQError(errno.EMFILE, f"{len(self._open_sockets)} sockets are open, MAX_SOCKETS")
        socket = (socket_class or self._socket_class)(self, socket_type, **kwargs)
        for option, value in self.sockopts.items():
            # A default that does not apply to this type is none for it.
            with contextlib.suppress(ZMQError):
                socket.set(option, value)
        return socket

    def open_monitor(self, endpoint: str) -> Socket:
        """Return the sending end of a monitor, bound to the inproc *endpoint*.

        Raises ZMQError: EADDRINUSE, ENOBUFS; ContextTerminated.
        """
        end = Socket(self, SocketType.PAIR)
        try:
            end.set(LINGER, 0)
            end.bind(endpoint)
        except BaseException:
            end.close(0)
            raise
        return end

    def enrol(self, socket: Socket) -> None:
        """A socket has been made."""
        with self.lock:
            self._sockets[socket.key] = socket
            self._open_sockets[socket.key] = None

    def dismiss(self, socket: Socket) -> None:
        """A socket has been closed; its board stays while an endpoint of it lingers."""
        with self.lock:
            self._open_sockets.pop(socket.key, None)
            self._sockets.pop(socket.key, None)
            if socket.key in self.lingering.values():
                self._boards_in_use[socket.key] = socket.board
            else:
                socket.board.segment.unlink()
            self._changed.notify_all()

    def settled(self, endpoint: int) -> None:
        """An endpoint that lingered is done with.

        With a closed socket's last one its board goes.
        """
        socket = self.lingering.pop(endpoint)
        if socket not in self.lingering.values():
            board = self._boards_in_use.pop(socket, None)
            if board is not None:  # else the socket is still open, and has disconnected only
                board.segment.unlink()
        self._changed.notify_all()

    def _check(self) -> None:
        if self.generation != fork_generation():
            raise ZMQError(
                errno.EFAULT, "this context belongs to the process that forked; make a Context here"
            )
        if self.closed:
            raise ZMQError(errno.EFAULT, "this context is closed")
        if self.is_terminating:
            raise ZMQError(Errno.ETERM, "this context has been terminated")

    # -- workers -----------------------------------------------------------------------------------

    def choose_worker(self, affinity: int) -> WorkerLink:
        """Return the worker for a new endpoint; one is started when it is first needed.

        Raises ZMQError: EMTHREAD when *affinity* selects none, or what keeps one from starting.
        """
        with self.lock:
            if self._pool is None:
                from .workers.pool import WorkerPool

                self.__dict__["_pool"] = WorkerPool(self.directory, self._placement)
            pool: WorkerPool = self._pool
            link = pool.choose(affinity, self.get(ContextOption.IO_THREADS))
            attendant().watch(link, self)
            return link

    def collect_events(self, caller: Socket | None = None) -> None:
        """Take what the workers have written and lay each event before the socket that it is about.

        A socket acts upon its events on the thread that uses it; those other than *caller* are
        told.
        """
        if self._pool is None:
            return
        from .workers.pool import WorkerGone

        with self.lock:
            for link in self._pool.links():
                try:
                    for event, fds in link.collect():
                        monitored = getattr(event, "monitored", None)
                        if monitored is not None:
                            self._tell_monitor(monitored, link, event)
                            continue
                        keeper = self.keepers.get(getattr(event, "endpoint", None))
                        self._lay(keeper, event, fds, caller)
                except WorkerGone as gone:
                    self.replace_worker(gone)

    def _tell_monitor(self, monitored: int, link: WorkerLink, event: Any) -> None:
        monitor = self.monitors.get(monitored)
        if monitor is not None:
            monitor.hear(link, event)

    def _lay(
        self,
        keeper: EndpointKeeper | None,
        event: Any,
        fds: list[int],
        caller: Socket | None = None,
    ) -> None:
        if keeper is None:
            refuse(event, fds)  # its endpoint is gone
        elif keeper.key in self.lingering:
            keeper.handle(event, self.peer_boards.take_in(event, fds))
        elif keeper.socket.closed:
            refuse(event, fds)
        else:
            keeper.socket.events.append((keeper, event, self.peer_boards.take_in(event, fds)))
            if keeper.socket is not caller:
                keeper.socket.board.notify(Control.EVENT)
                attendant().prompt(self)

    def attend(self) -> bool:
        """Act upon the workers' events on the attendant's thread.

        Sockets with a call under way are left to it; false when there were any.
        """
        with self.lock:
            try:
                self.collect_events()
            except ZMQError as error:
                self.report(f"{error}, and no other takes its place")
                self._do_without_workers(error)
            sockets = [socket for socket in self._sockets.values() if socket.is_behind]
        return all([socket.attend() for socket in sockets])

    def replace_worker(self, gone: WorkerGone) -> None:
        """Start a worker process in place of one that ended, and have it do what that one did.

        Raises ZMQError when none can be started, or they keep ending.
        """
        with self.lock:
            link, pid = gone.link, gone.pid
            if not link.is_gone:
                return  # another thread was faster
            attendant().forget(link)
            link.restart()
            attendant().watch(link, self)
            segments.sweep()  # what that process left
            for monitor in self.monitors.values():
                monitor.worker_died(link)
            for key, board in self._boards_behind(link).items():
                link.add_socket(key, board)
                if key in self.monitors:
                    self._sockets[key].announce_monitor(link)
            for keeper in list(self.keepers.values()):
                if keeper.worker is link:
                    self._lay(keeper, Replaced(keeper.key, pid), [])

    def _boards_behind(self, link: WorkerLink) -> dict[int, Board]:
        """Return the boards of the sockets that have endpoints with the worker *link*."""
        open_now = {key: socket.board for key, socket in self._sockets.items()}
        boards = {**self._boards_in_use, **open_now}
        keys = [keeper.socket.key for keeper in self.keepers.values() if keeper.worker is link]
        return {key: boards[key] for key in keys if key in boards}

    def _do_without_workers(self, error: ZMQError) -> None:
        """Nobody is left to hand over what lingers; the next call of each socket raises *error*."""
        if self.lingering:
            self.report(f"{len(self.lingering)} endpoints were not handed over")
        self.lingering.clear()
        self._changed.notify_all()
        for socket in self._sockets.values():
            socket.fail(error)

    # -- the end -----------------------------------------------------------------------------------

    def term(self) -> None:
        """End the context: blocked calls raise ContextTerminated.

        Waits until every socket is closed, and then until what was sent is handed over, each socket
        within its LINGER.

        Ends on Ctrl-C, with the context still there. Terminating twice is fine.
        """
        if self.closed or self.generation != fork_generation():
            self.__dict__["closed"] = True
            return
        self.__dict__["is_terminating"] = True
        with self.lock:
            for socket in list(self._sockets.values()):
                socket.set_gone()
            while self._open_sockets:
                self._changed.wait()
            while self.lingering:
                self._changed.wait()  # the attendant hears of it
        self._dissolve()

    def report(self, text: str) -> None:
        """Log what went wrong behind the program's back, under the logger ``shmzmq``."""
        import logging

        logging.getLogger("shmzmq").warning("%r: %s", self, text)

    def _dissolve(self) -> None:
        self.__dict__["closed"] = True
        for keeper in list(self.keepers.values()):
            keeper.give_up()
        for board in self._boards_in_use.values():
            board.segment.unlink()
        if self._pool is not None:
            for link in self._pool.links():
                attendant().forget(link)
            with self.lock:  # the attendant may still be looking
                self._pool.give_back()
        self.directory.unlink()
        self.pool.close()
        with _contexts_lock:
            if all(other.closed for other in _contexts if other.generation == self.generation):
                # What a sender that was killed had half made for us was never to be found by name.
                segments.sweep(done=this_process())

    def destroy(self, linger: int | None = None) -> None:
        """Close all sockets, with *linger* in ms when it is given, and end the context."""
        if self.closed or self.generation != fork_generation():
            return
        for socket in list(self._sockets.values()):
            socket.close(linger)
        self.term()

    def __enter__(self) -> Context:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._open_sockets and not self.closed:
            names = ", ".join(map(repr, self._sockets.values()))
            warnings.warn(
                f"the context ends with open sockets: {names}", ResourceWarning, stacklevel=2
            )
        self.destroy()

    def __del__(self) -> None:
        if (
            getattr(self, "_shadow", True)
            or self.__dict__.get("closed", True)
            or self.generation != fork_generation()
        ):
            return
        warnings.warn(f"unclosed context {self!r}", ResourceWarning, stacklevel=2, source=self)
        self.destroy()

    def __repr__(self) -> str:
        state = " closed" if self.closed else ""
        count = len(self._open_sockets)
        sockets = f"{count} socket{'s' * (count > 1)}" if count and not self.closed else ""
        return f"<{public_name(self)}({sockets}) at {id(self):#x}{state}>"


_contexts: weakref.WeakSet[Context] = weakref.WeakSet()
_contexts_lock = threading.RLock()  # taken again where the collector ends a forgotten context
_swept = False


def _forget_parents_lock() -> None:
    global _contexts_lock
    _contexts_lock = threading.RLock()


os.register_at_fork(after_in_child=_forget_parents_lock)


def _sweep_once() -> None:
    """Sweep what the dead left, before the first context of this process."""
    global _swept
    if not _swept:
        _swept = True
        segments.sweep()


@atexit.register
def _end_contexts() -> None:
    """What was sent before the program ended is still handed over, within each socket's LINGER.

    Ctrl-C ends the wait: what nobody has taken by then is given up, and its memory freed.
    """
    linger = None
    for context in list(_contexts):
        if context.generation == fork_generation():
            try:
                context.destroy(linger)
            except KeyboardInterrupt:
                linger = 0
                context.lingering.clear()
                context.destroy(linger)
