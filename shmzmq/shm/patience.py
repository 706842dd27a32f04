"""How long it pays to stay awake for what comes next.

To fall asleep and be woken costs each side a system call and up to 20 µs, on a virtual machine more
than 100 µs. What comes sooner is better awaited awake. How soon it will come is learnt: time spent
in vain halves the budget, down to none; a wait that was rewarded doubles it, and a sleep that was
over soon gives it back in full. Whatever happens, no more than a 32nd of the time is spent in vain:
what comes a few hundred or thousand times a second takes little more CPU than with sleeping alone.

Whoever stays awake gives way: it asks the system, again and again, to run whoever else wants this
CPU. So the process that is waited for is not kept from running, even where there are more of them
than CPUs. But giving way to one that just computes costs a time slice, while a sleeper that is
woken need not wait for its end: then what comes is awaited asleep for a while.
"""

import os

import cython
from cython.cimports.libc.stdint import int64_t
from cython.cimports.shmzmq.shm.atomics import monotonic_ns
from cython.cimports.shmzmq.shm.patience import sched_yield

# An answer through two workers takes this long, or 60 µs where nobody on its way must be woken.
# On one CPU there is nobody to wait for while one waits.
_MOST_NS = cython.declare(int64_t, 200_000 if len(os.sched_getaffinity(0)) > 1 else 0)
_LEAST_NS = cython.declare(int64_t, 1_000)
# A sleep that it would have paid to spend awake, or nearly: the wake-ups themselves made it longer.
_SHORT_SLEEP_NS = cython.declare(int64_t, 1_000_000)
_CREDIT_MOST_NS = cython.declare(int64_t, 4_000_000)
_CREDIT_SHIFT = cython.declare(cython.int, 5)  # a 32nd of the time
_TIME_SLICE_NS = cython.declare(int64_t, 1_000_000)  # hardly less on any system
_HOGGED_FOR_NS = cython.declare(int64_t, 100_000_000)


@cython.cclass
class Patience:
    """The patience of one that waits, for one kind of thing. All times are in ns, monotonic.

    Before a wait, `allowance` says how long to stay awake; afterwards it is told what came of it.
    """

    def __cinit__(self):
        self.budget_ns = _MOST_NS
        self.credit_ns = _CREDIT_MOST_NS

    def allowance(self, now):
        """Return how long to stay awake from *now* on; 0: not at all."""
        if self.budget_ns == 0 or now < self.hogged_until_ns:
            return 0
        self.credit_ns += (now - self.credited_ns) >> _CREDIT_SHIFT
        self.credited_ns = now
        if self.credit_ns > _CREDIT_MOST_NS:
            self.credit_ns = _CREDIT_MOST_NS
        allowed: int64_t = self.budget_ns if self.budget_ns < self.credit_ns else self.credit_ns
        return allowed if allowed >= _LEAST_NS else 0

    def rewarded(self):
        """What was awaited came in time."""
        if self.budget_ns < _MOST_NS:
            self.budget_ns *= 2

    def in_vain(self, spent_ns):
        """Nothing came in *spent_ns*."""
        self.credit_ns -= spent_ns
        self.budget_ns = self.budget_ns >> 1 if self.budget_ns > _LEAST_NS else 0

    def slept(self, asleep_ns):
        """What was awaited came after *asleep_ns*, and somebody was woken for it."""
        if asleep_ns < _SHORT_SLEEP_NS:
            self.budget_ns = _MOST_NS

    def give_way(self, now):
        """Let others have this CPU at the time *now*; return the time when it is ours again."""
        sched_yield()
        after: int64_t = monotonic_ns()
        self.gave_way(now, after)
        return after

    def gave_way(self, before, after):
        """The CPU was somebody else's from *before* to *after*; whoever computes, sleep for now."""
        if after - before >= _TIME_SLICE_NS:
            self.hogged_until_ns = after + _HOGGED_FOR_NS
