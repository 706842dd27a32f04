"""Polling sockets and file descriptors together (zmq_poll(3))."""

from __future__ import annotations

import select as system_select
import time
from typing import Any

from .constants import POLLERR, POLLIN, POLLOUT, POLLPRI
from .socket import Socket

_TO_SYSTEM = {
    POLLIN: system_select.POLLIN,
    POLLOUT: system_select.POLLOUT,
    POLLERR: system_select.POLLERR,
    POLLPRI: system_select.POLLPRI,
}


class Poller:
    """Sockets and descriptors to wait for, in the order in which they were registered.

    A descriptor is an int; what has a ``fileno`` method is registered under that int. Threads: one
    at a time.
    """

    def __init__(self) -> None:
        self._wanted: dict[Any, int] = {}

    @property
    def sockets(self) -> list[tuple[Any, int]]:
        """What is registered, with the events wanted of each."""
        return list(self._wanted.items())

    def __contains__(self, socket: Any) -> bool:
        return _pollable(socket) in self._wanted

    def register(self, socket: Any, flags: int = POLLIN | POLLOUT) -> None:
        """Wait for *flags* on *socket* (again); with no flags, not any more. Raises TypeError."""
        if flags:
            self._wanted[_pollable(socket)] = int(flags)
        else:
            self._wanted.pop(_pollable(socket), None)

    def modify(self, socket: Any, flags: int = POLLIN | POLLOUT) -> None:
        """Change the events wanted of *socket*."""
        self.register(socket, flags)

    def unregister(self, socket: Any) -> None:
        """Wait for *socket* no more. Raises KeyError when it is not registered."""
        del self._wanted[_pollable(socket)]

    def poll(self, timeout: float | None = None) -> list[tuple[Any, int]]:
        """Wait up to *timeout* ms (None or negative: for ever); return (socket, events) pairs.

        Raises what the sockets raise: ContextTerminated, ZMQError(ENOTSOCK); and KeyboardInterrupt.
        """
        timeout_ms = -1 if timeout is None or timeout < 0 else int(timeout)
        sockets = [
            (item, flags) for item, flags in self._wanted.items() if isinstance(item, Socket)
        ]
        if len(sockets) == len(self._wanted) == 1:
            ((socket, flags),) = sockets
            events = socket.poll_events(flags, timeout_ms)
            return [(socket, events)] if events else []
        files = [item for item in self._wanted.items() if not isinstance(item[0], Socket)]
        return self._poll_many(sockets, files, timeout_ms)

    def _poll_many(
        self, sockets: list[tuple[Any, int]], files: list[tuple[Any, int]], timeout_ms: int
    ) -> list[tuple[Any, int]]:
        waiting = system_select.poll()
        for fd, flags in files:
            waiting.register(fd, sum(bit for ours, bit in _TO_SYSTEM.items() if flags & ours))
        deadline = None if timeout_ms < 0 else time.monotonic() + timeout_ms / 1000
        found = _look_at(sockets) | self._files_in(waiting.poll(0) if files else [])
        while not found and (left_ms := _left_ms(deadline)) != 0:
            with _Doorbells(sockets, waiting) as doorbells:
                found = doorbells.arm()
                # What holds of a socket already is told at once, and what does of files with it.
                ready = waiting.poll(0 if found else left_ms)
            found |= self._files_in(ready)
            if not found:
                found = _look_at(sockets)
        return [(item, found[item]) for item in self._wanted if found.get(item)]

    def _files_in(self, ready: list[tuple[int, int]]) -> dict[Any, int]:
        return {fd: _from_system(bits) for fd, bits in ready if fd in self._wanted}


class _Doorbells:
    """Has the doorbells of *sockets* end one wait in *waiting*.

    Another thread may close a socket in the middle of it, so the descriptors are kept here.
    """

    def __init__(self, sockets: list[tuple[Any, int]], waiting: system_select.poll) -> None:
        self._sockets = sockets
        self._waiting = waiting
        self._armed: list[tuple[Any, int]] = []

    def __enter__(self) -> _Doorbells:
        return self

    def arm(self) -> dict[Any, int]:
        """Have every doorbell ring at its socket's next change; return what holds already."""
        for socket, flags in self._sockets:
            board = socket.board
            fd = -1 if board is None else board.doorbell.fileno()
            events = socket.arm(flags)  # raises for a socket that is closed, and has no descriptor
            self._waiting.register(fd, system_select.POLLIN)
            self._armed.append((socket, fd))
            if events:
                return {socket: events}
        return {}

    def __exit__(self, *_: object) -> None:
        for socket, fd in self._armed:
            self._waiting.unregister(fd)
            if not socket.exposed:
                socket.disarm()


def _look_at(sockets: list[tuple[Any, int]]) -> dict[Any, int]:
    found = ((socket, socket.poll_events(flags)) for socket, flags in sockets)
    return {socket: events for socket, events in found if events}


def _left_ms(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    return max(0.0, (deadline - time.monotonic()) * 1000)


def _from_system(bits: int) -> int:
    events: int = sum(ours for ours, bit in _TO_SYSTEM.items() if bits & bit)
    if bits & (system_select.POLLHUP | system_select.POLLNVAL):
        events |= POLLERR
    if bits & system_select.POLLHUP:
        events |= POLLIN  # the end of a stream is something to read
    return int(events)


def _pollable(item: Any) -> Any:
    """Return a socket as it is, anything else as its descriptor."""
    if isinstance(item, int | Socket):
        return item
    if not callable(getattr(item, "fileno", None)):
        raise TypeError(f"a Poller takes sockets, descriptors, or what has a fileno, not {item!r}")
    return int(item.fileno())


def select(
    rlist: list[Any], wlist: list[Any], xlist: list[Any], timeout: float | None = None
) -> tuple[list[Any], list[Any], list[Any]]:
    """As select.select, for sockets too; *timeout* in seconds (None: for ever)."""
    poller = Poller()
    wanted: dict[Any, int] = {}
    for items, flag in ((rlist, POLLIN), (wlist, POLLOUT), (xlist, POLLERR)):
        for item in items:
            wanted[_pollable(item)] = wanted.get(_pollable(item), 0) | flag
    for item, flags in wanted.items():
        poller.register(item, flags)
    found = dict(poller.poll(None if timeout is None or timeout < 0 else timeout * 1000))
    readable, writable, failed = (
        [item for item in items if found.get(_pollable(item), 0) & flag]
        for items, flag in ((rlist, POLLIN), (wlist, POLLOUT), (xlist, POLLERR))
    )
    return readable, writable, failed
