"""Waiting: spin a little where that pays, then sleep on the doorbell. The GIL is not needed here.

Sleeping and being woken costs some 20 µs and a system call on each side; a message that is a
microsecond away is better awaited. How long to spin adapts: a spin that fails halves the budget,
down to none; a sleep that was over sooner than the longest spin would have been gives it back in
full. Nobody spins on one CPU or while more processes are runnable than there are CPUs, for then the
spinner keeps from running the very process that it waits for. What comes through a worker needs a
CPU for that one, too: on fewer than four (two applications, two workers) it is awaited asleep.
"""

import os

import cython
from cython.cimports.libc.errno import EINTR, errno
from cython.cimports.libc.stdint import int64_t
from cython.cimports.posix.fcntl import O_CLOEXEC, O_RDONLY, open
from cython.cimports.posix.unistd import pread
from cython.cimports.shmzmq.shm.atomics import load_relaxed, monotonic_ns, pause
from cython.cimports.shmzmq.shm.ppoll import POLLIN, pollfd, ppoll, timespec

_MAX_SPIN_NS = cython.declare(int64_t, 100_000)
_FIRST_SPIN_NS = cython.declare(int64_t, 4_000)  # shorter than the question who else wants the CPU
_QUIET_NS = cython.declare(int64_t, 300)
_CROWD_CHECK_NS = cython.declare(int64_t, 2_000_000)
_LONGEST_SLEEP_NS = cython.declare(int64_t, 1_000_000_000)

_cpus = cython.declare(cython.int, len(os.sched_getaffinity(0)))
_loadavg = cython.declare(cython.int, -1)
_CPUS_TO_SPARE = cython.declare(cython.int, 4)
_crowded = cython.declare(cython.bint, False)
_crowd_checked_ns = cython.declare(int64_t, 0)


@cython.cclass
class Spinner:
    """One socket's waiting: its spin budget and its counts of spins, sleeps and wakes."""

    def __cinit__(self):
        self.budget_ns = _MAX_SPIN_NS // 2 if _cpus > 1 else 0

    def spin(self, board, watches, count, deadline_ns):
        """Watch *watches* and the board's news while the budget allows; true if one moved."""
        if self.budget_ns == 0 or (self.relayed and _cpus < _CPUS_TO_SPARE):
            return False
        self.spins += 1
        start: int64_t = monotonic_ns()
        end: int64_t = start + self.budget_ns
        if 0 <= deadline_ns < end:
            end = deadline_ns
        # Do not look at once: a stream of messages is not read faster by taking the writer's cache
        # line from it for each of them, and no reply comes sooner than this.
        while monotonic_ns() - start < _QUIET_NS:
            pause()
        asked: cython.bint = False
        _turn: cython.int
        while True:
            for _turn in range(32):
                if board.has_news() or has_moved(watches, count):
                    return True
                pause()
            now: int64_t = monotonic_ns()
            if now >= end:
                break
            if not asked and now - start > _FIRST_SPIN_NS:
                asked = True
                if _is_crowded(now):
                    break
        self.budget_ns = self.budget_ns >> 1 if self.budget_ns > 1000 else 0
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
            if monotonic_ns() - before < _MAX_SPIN_NS and _cpus > 1:
                # It would have paid to spin on.
                self.budget_ns = _MAX_SPIN_NS
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


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _is_crowded(now: int64_t) -> cython.bint:
    """Tell whether more tasks are runnable than there are CPUs (fourth field of /proc/loadavg).

    Asked at most every 2 ms in a process. Races between threads only make one ask twice.
    """
    global _loadavg, _crowded, _crowd_checked_ns
    if now - _crowd_checked_ns < _CROWD_CHECK_NS:
        return _crowded
    _crowd_checked_ns = now
    if _loadavg < 0:
        _loadavg = open("/proc/loadavg", O_RDONLY | O_CLOEXEC)
        if _loadavg < 0:
            return False
    text: cython.char[64]
    size: cython.Py_ssize_t = pread(_loadavg, text, 63, 0)
    i: cython.Py_ssize_t = 0
    spaces: cython.int = 0
    while i < size and spaces < 3:
        spaces += text[i] == 32
        i += 1
    runnable: cython.int = 0
    while i < size and 48 <= text[i] <= 57:  # digits
        runnable = runnable * 10 + (text[i] - 48)
        i += 1
    _crowded = runnable > _cpus
    return _crowded
