"""The worker's event loop: descriptors and timers, over epoll.

One thread, callbacks, no surprises. A message that passes through makes a round or two of this
loop, so what happens in every round is compiled.
"""

import heapq
import math
import select
import time

import cython
from cython.cimports.cpython.exc import PyErr_CheckSignals
from cython.cimports.libc.errno import EINTR
from cython.cimports.libc.errno import errno as last_error
from cython.cimports.libc.stdint import int64_t, uint64_t
from cython.cimports.shmzmq.shm.atomics import monotonic_ns
from cython.cimports.shmzmq.shm.patience import Patience
from cython.cimports.shmzmq.workers.reactor import READY_MOST, epoll_event, epoll_wait

READ = select.EPOLLIN
WRITE = select.EPOLLOUT
EDGE = select.EPOLLET
"""Besides READ: once for each time that something comes, whether or not it is read."""

# Rounds of mere traffic after which the counters are stored.
_QUIET_ROUNDS = cython.declare(uint64_t, 1024)
_CANCELLED_MOST = cython.declare(cython.int, 64)


@cython.cclass
class Source:
    """Whoever is told that a descriptor is ready without a detour through Python."""

    def ready(self, events):
        raise NotImplementedError


@cython.cclass
class Turns:
    """What is done in each round besides callbacks, for news that no descriptor tells of.

    `patience` is for what is to come next.
    """

    def work(self):
        """Do what there is to do, up to a bound; whether there is more to do at once."""
        raise NotImplementedError

    def has_news(self):
        """Whether there is something to do that no descriptor tells of. Without the GIL."""
        return False

    def may_sleep(self):
        """Whether the reactor may wait: from here on news comes by a descriptor that it watches."""
        raise NotImplementedError

    def awake(self):
        """The wait that may_sleep allowed is over."""
        raise NotImplementedError


@cython.cclass
class Timer:
    """A call to come; `cancel` it when it is not wanted any more."""

    def __init__(self, reactor: Reactor, call):
        self.reactor = reactor
        self.call = call

    def cancel(self):
        """Have it not come."""
        if self.call is not None:
            self.call = None
            self.reactor.note_cancelled()


@cython.cclass
class Reactor:
    """Calls back when descriptors are ready or times have come."""

    def __init__(self):
        self.epoll = select.epoll()
        self.callbacks = {}
        self.timers = []
        self.changed = True

    @staticmethod
    def now():
        """Return the monotonic time in seconds, by which timers and sessions go."""
        return time.monotonic()

    def watch(self, fd: cython.int, events: cython.uint, callback):
        """Call *callback* with the events that came on *fd*, of *events* and errors."""
        self.changed = True
        if fd in self.callbacks:
            self.epoll.modify(fd, events)
        else:
            self.epoll.register(fd, events)
        self.callbacks[fd] = callback

    def forget(self, fd: cython.int):
        """Watch *fd* no more; to be called before it is closed."""
        self.changed = True
        if self.callbacks.pop(fd, None) is not None:
            self.epoll.unregister(fd)

    def call_at(self, when: float, call):
        """Call *call* at the monotonic time *when* in seconds."""
        timer = Timer(self, call)
        self.serial += 1
        heapq.heappush(self.timers, (when, self.serial, timer))
        return timer

    def call_later(self, seconds: float, call):
        """Call *call* in *seconds*."""
        return self.call_at(self.now() + seconds, call)

    def run(self, turns: Turns, after_each):
        """Run until `stop`; *turns* are taken in each round.

        *after_each* is called after each round but those that did nothing except carry messages:
        of these, every 1024th.
        """
        ready: epoll_event[READY_MOST]
        busy: cython.bint = False
        self.running = True
        while self.running:
            timeout_ms: cython.int = self.until_next_timer()
            count: cython.int
            if timeout_ms == 0 or busy:
                count = self.wait(ready, 0)
            else:
                count = self.wait_awake(ready, turns)
                if count < 0:
                    count = self.sleep(ready, turns, timeout_ms)
            self.loops += 1
            self.dispatch(ready, count)
            if self.timers:
                self.run_timers()
            busy = turns.work()
            if self.changed or self.loops % _QUIET_ROUNDS == 0:
                self.changed = False
                after_each()

    def stop(self):
        """End `run` after this round."""
        self.running = False

    def wait_awake(self, ready, turns):
        """Wait while that pays; return how many descriptors are ready, -1 for nothing new at all.

        It may be a little longer than until the next timer.
        """
        fd: cython.int = self.epoll.fileno()
        count: cython.int
        patience: Patience = turns.patience
        now: int64_t = monotonic_ns()
        start: int64_t = now
        end: int64_t = start + patience.allowance(start)
        with cython.nogil:
            while now < end:
                count = epoll_wait(fd, ready, READY_MOST, 0)
                if count > 0 or turns.has_news():
                    patience.rewarded()
                    return count if count > 0 else 0
                now = patience.give_way(now)
        if end > start:
            patience.in_vain(now - start)
        return -1

    def sleep(self, ready, turns, timeout_ms):
        """Wait for descriptors without using the CPU, -1 for as long as it takes."""
        if not turns.may_sleep():
            return self.wait(ready, 0)
        before: int64_t = monotonic_ns()
        count: cython.int = self.wait(ready, timeout_ms)
        turns.awake()
        if count > 0:
            turns.patience.slept(monotonic_ns() - before)
        return count

    def wait(self, ready, timeout_ms):
        """Wait for descriptors, -1 for as long as it takes; return how many are ready."""
        fd: cython.int = self.epoll.fileno()
        count: cython.int
        with cython.nogil:
            count = epoll_wait(fd, ready, READY_MOST, timeout_ms)
        if count >= 0:
            return count
        if last_error != EINTR:
            raise OSError(last_error, "epoll_wait")
        PyErr_CheckSignals()
        return 0

    def dispatch(self, ready, count):
        """Tell those whose descriptors are ready."""
        i: cython.int
        for i in range(count):
            callback = self.callbacks.get(ready[i].data.fd)
            if isinstance(callback, Source):
                cython.cast(Source, callback).ready(ready[i].events)
            elif callback is not None:  # an earlier callback may have forgotten it
                self.changed = True
                callback(ready[i].events)
        return 0

    def note_cancelled(self):
        """A timer will not come: keep no more of these than of the others.

        They lie in the heap until their time otherwise, behind any that is due before.
        """
        self.cancelled += 1
        if self.cancelled > _CANCELLED_MOST and 2 * self.cancelled > len(self.timers):
            wanted = [item for item in self.timers if cython.cast(Timer, item[2]).call is not None]
            heapq.heapify(wanted)
            self.timers = wanted
            self.cancelled = 0
        return 0

    @property
    def timers_held(self):
        """How many timers there is memory in use for, cancelled ones with the others."""
        return len(self.timers)

    def until_next_timer(self):
        """Return the milliseconds until the next timer, -1 when there is none."""
        while self.timers and cython.cast(Timer, self.timers[0][2]).call is None:
            heapq.heappop(self.timers)
            self.cancelled -= 1
        if not self.timers:
            return -1
        left: cython.double = self.timers[0][0] - time.monotonic()
        return 0 if left <= 0 else cython.cast(cython.int, math.ceil(min(left, 1e6) * 1000))

    def run_timers(self):
        now = self.now()
        while self.timers and self.timers[0][0] <= now:
            timer: Timer = heapq.heappop(self.timers)[2]
            if timer.call is None:
                self.cancelled -= 1
                continue
            self.changed = True
            call, timer.call = timer.call, None  # to cancel it from here on means nothing
            call()
        return 0
