"""Waiting: stay awake a little where that pays, then sleep on the doorbell. Without the GIL.

How long it pays is a matter of `Patience`, which also gives way to those who want the CPU. Only the
first moments are spent without: to ask costs longer than the answer of a peer that is awake.
"""

import cython
from cython.cimports.libc.errno import EINTR, errno
from cython.cimports.libc.stdint import int64_t
from cython.cimports.shmzmq.shm.atomics import load_relaxed, monotonic_ns, pause
from cython.cimports.shmzmq.shm.patience import Patience
from cython.cimports.shmzmq.shm.ppoll import POLLIN, pollfd, ppoll, timespec

# So long a peer that is awake takes to answer: meanwhile the CPU is kept.
_ALONE_NS = cython.declare(int64_t, 4_000)
_QUIET_NS = cython.declare(int64_t, 300)
_LONGEST_SLEEP_NS = cython.declare(int64_t, 1_000_000_000)


@cython.cclass
class Spinner:
    """One socket's waiting: its patience, and its counts of spins, sleeps and wakes."""

    def __cinit__(self):
        self.patience = Patience()

    def spin(self, board, watches, count, deadline_ns):
        """Watch *watches* and the board's news while it pays; true if one moved."""
        start: int64_t = monotonic_ns()
        end: int64_t = start + self.patience.allowance(start)
        if end == start:
            return False
        self.spins += 1
        if 0 <= deadline_ns < end:
            end = deadline_ns
        now: int64_t = start
        # Do not look at once: a stream of messages is not read faster by taking the writer's cache
        # line from it for each of them, and no reply comes sooner than this.
        while now - start < _QUIET_NS:
            pause()
            now = monotonic_ns()
        _turn: cython.int
        while True:
            for _turn in range(32):
                if board.has_news() or has_moved(watches, count):
                    self.patience.rewarded()
                    return True
                pause()
            now = monotonic_ns() if now - start < _ALONE_NS else self.patience.give_way(now)
            if now >= end:
                break
        self.patience.in_vain(now - start)
        return False

    def sleep(self, board, deadline_ns):
        """Wait for the doorbell: 1 news, 0 the deadline has passed, -1 a signal came, LOOK_AGAIN.

        The caller has made sure that whatever happens from now on is posted on the board. Should a
        peer gone mad wipe the board, the sleeper still looks at everything once a second.
        """
        if not board.announce_sleep():
            return 1
        self.sleeps += 1
        before: int64_t = monotonic_ns()
        end: int64_t = before + _LONGEST_SLEEP_NS
        if 0 <= deadline_ns <= end:
            end = deadline_ns
        rc: cython.int = _poll(board.doorbell.fd, before, end)
        board.awake()
        if rc > 0:
            board.doorbell.drain()
            self.wakes += 1
            self.patience.slept(monotonic_ns() - before)
        elif rc == 0 and end != deadline_ns:
            return LOOK_AGAIN
        return rc


def has_moved(watches, count):
    i: cython.int
    for i in range(count):
        if load_relaxed(watches[i].word) - watches[i].seen >= watches[i].step:
            return True
    return False


def deadline_after(timeout_ms):
    """Return the monotonic time in ns at which *timeout_ms* from now ends; -1 for never."""
    if timeout_ms < 0:
        return -1
    return monotonic_ns() + timeout_ms * 1_000_000


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _poll(fd: cython.int, now: int64_t, deadline_ns: int64_t) -> cython.int:
    item: pollfd
    item.fd = fd
    item.events = POLLIN
    item.revents = 0
    left: timespec
    limit: cython.pointer(timespec) = cython.NULL
    if deadline_ns >= 0:
        remaining: int64_t = deadline_ns - now if deadline_ns > now else 0
        left.tv_sec = remaining // 1_000_000_000
        left.tv_nsec = remaining % 1_000_000_000
        limit = cython.address(left)
    rc: cython.int = ppoll(cython.address(item), 1, limit, cython.NULL)
    if rc < 0:
        return -1 if errno == EINTR else 0
    return rc
