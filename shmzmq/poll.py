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
        found: dict[Any, int] = {}
        while True:
            found.update(_look_at(sockets))
            left_ms = 0.0 if found else _left_ms(deadline)
            if not found and left_ms != 0:
                found.update(_arm(sockets, waiting))
                left_ms = 0.0 if found else left_ms
            try:
                ready = waiting.poll(left_ms)
            finally:
                _disarm(sockets, waiting)
            found.update((fd, _from_system(bits)) for fd, bits in ready if fd in self._wanted)
            if not found and ready:
                found.update(_look_at(sockets))
            if found or _left_ms(deadline) == 0:
                return [(item, found[item]) for item in self._wanted if found.get(item)]


def _look_at(sockets: list[tuple[Any, int]]) -> dict[Any, int]:
    found = ((socket, socket.poll_events(flags)) for socket, flags in sockets)
    return {socket: events for socket, events in found if events}


def _arm(sockets: list[tuple[Any, int]], waiting: system_select.poll) -> dict[Any, int]:
    """Have every socket's doorbell ring at its next change; return what holds already."""
    for socket, flags in sockets:
        events = socket.arm(flags)
        waiting.register(socket.board.doorbell.fileno(), system_select.POLLIN)
        if events:
            return {socket: events}
    return {}


def _disarm(sockets: list[tuple[Any, int]], waiting: system_select.poll) -> None:
    for socket, _ in sockets:
        if socket.closed:
            return  # by another thread, while we waited: the next look at it says so
        try:
            waiting.unregister(socket.board.doorbell.fileno())
        except KeyError:
            return  # it and those behind it were not armed
        if not socket.exposed:
            socket.disarm()


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
