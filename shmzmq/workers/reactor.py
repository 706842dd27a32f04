"""The worker's event loop: descriptors and timers, over epoll.

One thread, callbacks, no surprises.
"""

from __future__ import annotations

import heapq
import itertools
import select
import time
from collections.abc import Callable
from typing import Final, Protocol

READ: Final = select.EPOLLIN
WRITE: Final = select.EPOLLOUT

Callback = Callable[[int], None]


class Timer:
    """A call to come; `cancel` it when it is not wanted any more."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Have it not come."""
        self.call = None


class Turns(Protocol):
    """What is done in each round besides callbacks, for news that no descriptor tells of."""

    def work(self) -> bool:
        """Do what there is to do, up to a bound; whether there is more to do at once."""

    def may_sleep(self) -> bool:
        """Whether the reactor may wait: from here on news comes by a descriptor that it watches."""

    def awake(self) -> None:
        """The wait that may_sleep allowed is over."""


class Reactor:
    """Calls back when descriptors are ready or times have come."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callback] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._serial = itertools.count()
        self._running = False
        self.loops = 0

    @staticmethod
    def now() -> float:
        """Return the monotonic time in seconds, by which timers and sessions go."""
        return time.monotonic()

    def watch(self, fd: int, events: int, callback: Callback) -> None:
        """Call *callback* with the events that came on *fd*, of *events* and errors."""
        if fd in self._callbacks:
            self._epoll.modify(fd, events)
        else:
            self._epoll.register(fd, events)
        self._callbacks[fd] = callback

    def forget(self, fd: int) -> None:
        """Watch *fd* no more; to be called before it is closed."""
        if self._callbacks.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        """Call *call* at the monotonic time *when* in seconds."""
        timer = Timer(call)
        heapq.heappush(self._timers, (when, next(self._serial), timer))
        return timer

    def call_later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call *call* in *seconds*."""
        return self.call_at(self.now() + seconds, call)

    def run(self, turns: Turns, after_each: Callable[[], None]) -> None:
        """Run until `stop`; *turns* are taken, and *after_each* is called, in each round."""
        self._running = True
        busy = False
        while self._running:
            wait = self._until_next_timer()
            sleeps = wait != 0 and not busy and turns.may_sleep()
            ready = self._epoll.poll(wait if sleeps else 0)
            if sleeps:
                turns.awake()
            self.loops += 1
            for fd, events in ready:
                callback = self._callbacks.get(fd)
                if callback is not None:  # an earlier callback may have forgotten it
                    callback(events)
            self._run_timers()
            busy = turns.work()
            after_each()

    def stop(self) -> None:
        """End `run` after this round."""
        self._running = False

    def _until_next_timer(self) -> float:
        while self._timers and self._timers[0][2].call is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return -1
        return max(0.0, self._timers[0][0] - self.now())

    def _run_timers(self) -> None:
        now = self.now()
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if timer.call is not None:
                timer.call()
