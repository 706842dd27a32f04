"""Contexts: what the sockets of a process share, its I/O workers, and the orderly end of it all."""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import threading
import warnings
import weakref
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar

from .attendant import attendant
from .attributes import public_name
from .constants import LINGER, ContextOption, Errno, SocketType
from .errors import ZMQError
from .keepers.far_end import PeerBoards
from .keepers.inproc import InprocNames
from .placement import Placement
from .shm import segment as segments
from .shm.blocks import Pool
from .shm.directory import Directory
from .shm.forks import fork_generation
from .shm.liveness import this_process
from .socket import Socket
from .supervision import Supervised

if TYPE_CHECKING:
    from types import TracebackType


class Context(Supervised):
    """The container of sockets. *io_threads* is the most I/O worker processes that it will start.

    Threads: any. ``with`` ends it. A forked child must make its own.
    Socket options set as attributes are defaults for sockets made later.
    """

    __slots__ = ("_shadow", "_shadow_obj")  # not shared with those that it shadows

    _instance: ClassVar[Context | None] = None
    _instance_pid: ClassVar[int | None] = None
    _instance_lock: ClassVar[threading.Lock] = threading.Lock()
    _socket_class: type[Socket] = Socket

    def __class_getitem__(cls, what: Any) -> GenericAlias:
        """Allow annotations such as ``Context[Socket]``, which pyzmq's users write."""
        return GenericAlias(cls, what)

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
        values["_postponed"] = []
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

    def _check(self) -> None:
        if self.generation != fork_generation():
            raise ZMQError(
                errno.EFAULT, "this context belongs to the process that forked; make a Context here"
            )
        if self.closed:
            raise ZMQError(errno.EFAULT, "this context is closed")
        if self.is_terminating:
            raise ZMQError(Errno.ETERM, "this context has been terminated")

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
                self._changed.wait()  # the attendant hears of it, also of what is postponed
        self._dissolve()

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
        try:
            warnings.warn(f"unclosed context {self!r}", ResourceWarning, stacklevel=2, source=self)
        finally:  # also where warnings are errors, which nobody catches here
            self._end_unasked()

    def _end_unasked(self) -> None:
        """End because nobody holds this context any more; does not wait for a peer."""
        if self._open_sockets or self.lingering:
            # The collector found it in a cycle. It has cleared the weak references by which the
            # sockets, which it closes next, and the attendant are known here; and no collection
            # should wait for a peer.
            threading.Thread(
                target=self._end_forgotten, name="shmzmq-forgotten-context", daemon=True
            ).start()
        else:
            self.destroy()

    def _end_forgotten(self) -> None:
        with _contexts_lock:
            _contexts.add(self)
        self.watch_workers()
        self.term()

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
