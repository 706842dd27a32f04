"""The attendant: one thread of the process that hears the I/O workers while the program is busy.

A socket acts upon its workers' events in its own calls. A program that does something else for a
while makes none, and yet a lost connection has to be offered to the next peer, and a worker that
died has to be replaced. So this thread waits for events as well. It acts upon those of a socket
only while no call on that socket is under way (SocketCore.borrow), and otherwise leaves them to
that call.

It sleeps as long as no worker has anything to say.
"""

from __future__ import annotations

import contextlib
import functools
import os
import select
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, TypeVar

if TYPE_CHECKING:
    from .socket_base import SocketBase
    from .supervision import Supervised
    from .workers.link import WorkerLink

_FIRST_RETRY_S: Final = 0.005
_LAST_RETRY_S: Final = 0.64


_Socket = TypeVar("_Socket", bound="SocketBase")
_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def one_call(
    method: Callable[Concatenate[_Socket, _Arguments], _Result],
) -> Callable[Concatenate[_Socket, _Arguments], _Result]:
    """Keep the attendant out of the socket while *method* runs, as send and recv do."""

    @functools.wraps(method)
    def call(self: _Socket, /, *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        self.enter()
        try:
            return method(self, *args, **kwargs)
        finally:
            self.leave()

    return call


class Attendant:
    """Watches workers' streams, each on behalf of a context that it does not keep alive."""

    def __init__(self) -> None:
        # Taken again where the collector ends a forgotten context in the middle of what follows;
        # nothing that it tracks is made while the lock is held, so that it does not run then and
        # wait for a lock whose holder waits for this one.
        self._lock = threading.RLock()
        self._contexts: dict[int, weakref.ref[Supervised]] = {}
        self._epoll = select.epoll()
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._epoll.register(self._bell, select.EPOLLIN)
        self._prompted: set[weakref.ref[Supervised]] = set()
        self._thread = threading.Thread(target=self._run, name="shmzmq-attendant", daemon=True)
        self._starts = False

    def watch(self, link: WorkerLink, context: Supervised) -> None:
        """From now on look after what *link* says to *context*. Raises OSError."""
        fd = link.stream.fileno()
        reference = weakref.ref(context)
        with self._lock:
            if fd not in self._contexts:
                self._epoll.register(fd, select.EPOLLIN)
            self._contexts[fd] = reference
            starts, self._starts = not self._starts, True
        if starts:
            try:
                self._thread.start()
            except RuntimeError:
                self._starts = False
                raise

    def forget(self, link: WorkerLink) -> None:
        """Undo `watch`; to be called before the stream is closed."""
        with self._lock, contextlib.suppress(KeyError):
            fd = link.stream.fileno()
            del self._contexts[fd]
            self._epoll.unregister(fd)

    def prompt(self, context: Supervised) -> None:
        """Look at what another thread has laid before sockets of *context*."""
        if threading.current_thread() is not self._thread:
            reference = weakref.ref(context)
            with self._lock:
                self._prompted.add(reference)
            os.eventfd_write(self._bell, 1)

    def close(self) -> None:
        """In a forked child, where the thread is not: close the descriptors."""
        self._epoll.close()
        os.close(self._bell)

    def _run(self) -> None:
        behind: set[weakref.ref[Supervised]] = set()
        pause_s = _FIRST_RETRY_S
        while True:
            ready = self._epoll.poll(pause_s if behind else None)
            pause_s = _FIRST_RETRY_S if ready else min(2 * pause_s, _LAST_RETRY_S)
            if any(fd == self._bell for fd, _ in ready):
                os.eventfd_read(self._bell)
            with self._lock:
                for fd, _ in ready:
                    context = self._contexts.get(fd)
                    if context is not None and context() is None:
                        # Forgotten with its workers still there: somebody will watch them again.
                        del self._contexts[fd]
                        self._epoll.unregister(fd)
                    elif context is not None:
                        behind.add(context)
                behind.update(self._prompted)
                self._prompted.clear()
            behind = {context for context in behind if not _is_attended(context)}


def _is_attended(reference: weakref.ref[Supervised]) -> bool:
    """Act for a context; whether nothing is left that a call under way keeps from being done."""
    context = reference()
    if context is None:
        return True
    try:
        return context.attend()
    except Exception:  # this thread serves all other contexts, too
        import logging

        logging.getLogger("shmzmq").exception("an event of an I/O worker could not be acted upon")
        return True


_attendant: Attendant | None = None
_attendant_lock = threading.RLock()


def attendant() -> Attendant:
    """Return the process's attendant."""
    global _attendant
    with _attendant_lock:
        if _attendant is None:
            _attendant = Attendant()
        return _attendant


def _forget_parents_attendant() -> None:
    """Its thread has stayed in the parent; the descriptor is a copy."""
    global _attendant, _attendant_lock
    _attendant_lock = threading.RLock()
    if _attendant is not None:
        _attendant.close()
        _attendant = None


os.register_at_fork(after_in_child=_forget_parents_attendant)
