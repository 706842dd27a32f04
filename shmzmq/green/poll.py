"""Polling that lets other greenlets run."""

from __future__ import annotations

import contextlib
from typing import Any

import gevent
from gevent.select import select as select_fds

from .. import poll
from ..constants import EVENTS, POLLERR, POLLIN, POLLOUT
from ..socket import Socket


class Poller(poll.Poller):
    """A Poller whose poll waits in gevent's hub."""

    def poll(self, timeout: float | None = None) -> list[tuple[Any, int]]:
        """Wait up to *timeout* ms (None or negative: for ever); return (socket, events) pairs."""
        limit = None if timeout is None or timeout < 0 else timeout / 1000
        found: list[tuple[Any, int]] = []
        with contextlib.suppress(gevent.Timeout), gevent.Timeout(limit):
            while not (found := super().poll(0)):
                if not self._arm():
                    select_fds(*self._descriptors())
        return found or super().poll(0)

    def _arm(self) -> bool:
        return any(
            item.get(EVENTS) & flags
            for item, flags in self._wanted.items()
            if isinstance(item, Socket)
        )

    def _descriptors(self) -> tuple[list[int], list[int], list[int]]:
        readable, writable = [], []
        for item, flags in self._wanted.items():
            if isinstance(item, Socket):
                readable.append(item.fileno())
                continue
            if flags & (POLLIN | POLLERR):
                readable.append(item)
            if flags & POLLOUT:
                writable.append(item)
        return readable, writable, []


def select(
    rlist: list[Any], wlist: list[Any], xlist: list[Any], timeout: float | None = None
) -> tuple[list[Any], list[Any], list[Any]]:
    """As the package's select, in seconds; lets other greenlets run."""
    wanted: dict[Any, int] = {}
    for items, flag in ((rlist, POLLIN), (wlist, POLLOUT), (xlist, POLLERR)):
        for item in items:
            wanted[item] = wanted.get(item, 0) | flag
    poller = Poller()
    for item, flags in wanted.items():
        poller.register(item, flags)
    ready = dict(poller.poll(None if timeout is None or timeout < 0 else timeout * 1000))
    lists = ((rlist, POLLIN), (wlist, POLLOUT), (xlist, POLLERR))
    r, w, x = ([item for item in items if ready.get(item, 0) & flag] for items, flag in lists)
    return r, w, x
