"""Runs in threads what may block: looking up names. The worker's other connections go on meanwhile.

A few threads, started when they are needed, take what is to be done from one queue. They touch
nothing of the worker; results come back through a queue of their own, and an eventfd wakes the
reactor.
"""

from __future__ import annotations

import errno
import os
import queue
import threading
from collections.abc import Callable
from typing import Any, Final

from .reactor import READ, Reactor

_MOST_THREADS: Final = 4

Work = Callable[[], Any]
Done = Callable[[Any], None]


class Lookups:
    """Calls what may block in threads, and gives results back in the reactor's."""

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._pending: queue.SimpleQueue[tuple[Work, Done]] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[tuple[Done, Any]] = queue.SimpleQueue()
        self._unfinished = 0  # touched by the reactor's thread only, like the two below
        self._threads = 0
        self._wake_fd = -1

    def run(self, work: Work, done: Done) -> None:
        """Call *work* in a thread, then *done* in ours, with the result or the OSError raised."""
        if self._wake_fd < 0:
            self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self._reactor.watch(self._wake_fd, READ, self._take_results)
        self._unfinished += 1
        self._pending.put((work, done))
        if self._threads < min(self._unfinished, _MOST_THREADS):
            self._threads += 1
            # A daemon, so that the worker can end while a name server keeps us waiting.
            threading.Thread(target=self._serve, name="lookup", daemon=True).start()

    def _serve(self) -> None:
        while True:
            work, done = self._pending.get()
            result: Any
            try:
                result = work()
            except OSError as error:
                result = error
            except Exception as error:  # a transport's mistake costs that attempt, not the thread
                result = OSError(errno.EIO, f"looking up failed: {error!r}")
            self._results.put((done, result))
            os.eventfd_write(self._wake_fd, 1)

    def _take_results(self, _: int) -> None:
        os.eventfd_read(self._wake_fd)
        while not self._results.empty():
            done, result = self._results.get()
            self._unfinished -= 1
            done(result)
