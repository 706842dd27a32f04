"""Where and how I/O workers run: CPUs, scheduling, names (zmq_ctx_set(3), ZMQ_AFFINITY)."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable

from .constants import ContextOption
from .errors import ZMQError

UNSET = -1

_OPTIONS = (
    ContextOption.THREAD_PRIORITY,
    ContextOption.THREAD_SCHED_POLICY,
    ContextOption.THREAD_AFFINITY_CPU_ADD,
    ContextOption.THREAD_AFFINITY_CPU_REMOVE,
    ContextOption.THREAD_NAME_PREFIX,
)
_REAL_TIME = (os.SCHED_FIFO, os.SCHED_RR)
_MOST_NICE = -20
_LONGEST_NAME = 15  # in bytes; the kernel cuts off the rest (prctl(2), PR_SET_NAME)


class Placement:
    """What a context's THREAD_* options say of its workers; it counts for those taken later.

    Threads: any.
    """

    def __init__(self) -> None:
        self.cpus: frozenset[int] = frozenset()
        self.policy = UNSET
        self.priority = UNSET
        self.name_prefix = 0

    @staticmethod
    def has(option: int) -> bool:
        """Whether *option* is one of these."""
        return option in _OPTIONS

    def set(self, option: int, value: int) -> None:
        """Set an option. Raises ZMQError(EINVAL) for a value that it does not take."""
        if option == ContextOption.THREAD_NAME_PREFIX:
            self.name_prefix = value
            return
        # SOCKET_LIMIT, which can only be read, has the same number, and is its member's name.
        is_priority = option == ContextOption.THREAD_PRIORITY
        name = "THREAD_PRIORITY" if is_priority else ContextOption(option).name
        if value < 0:
            raise ZMQError(errno.EINVAL, f"{name} is a number from 0, not {value}")
        if is_priority:
            self.priority = value
        elif option == ContextOption.THREAD_SCHED_POLICY:
            self.policy = value
        elif option == ContextOption.THREAD_AFFINITY_CPU_ADD:
            self.cpus |= {value}
        elif value in self.cpus:
            self.cpus -= {value}
        else:
            raise ZMQError(errno.EINVAL, f"{name}: CPU {value} was never added")

    def get(self, option: int) -> int:
        """Return an option. Raises ZMQError(EINVAL) for one that can be set only."""
        if option == ContextOption.THREAD_SCHED_POLICY:
            return self.policy
        if option == ContextOption.THREAD_NAME_PREFIX:
            return self.name_prefix
        raise ZMQError(errno.EINVAL, f"{ContextOption(option).name} can be set only")

    def name(self, number: int) -> str:
        """Return the name of worker *number*, counted from 0, as libzmq names its I/O threads."""
        prefix = f"{self.name_prefix}/" if self.name_prefix else ""
        return f"{prefix}ZMQbg/IO/{number}"[:_LONGEST_NAME]

    def pin(self, pid: int, number: int) -> None:
        """Have worker *number*, process *pid*, run on one CPU: the number-th that it may use.

        With more workers than CPUs they are counted round. Raises ZMQError: EINVAL when there is no
        such CPU.
        """
        cpus = sorted(self._allowed())
        self._set_cpus(pid, [cpus[number % len(cpus)]])

    def apply(self, pid: int) -> None:
        """Have a worker process run as the options say, wherever and however it ran before.

        Raises ZMQError: EINVAL for CPUs or a policy that there are not, EPERM.
        """
        self._set_cpus(pid, self._allowed())
        policy = os.SCHED_OTHER if self.policy == UNSET else self.policy
        priority = max(0, self.priority)
        is_real_time = policy in _REAL_TIME
        # Other policies have no priority: as with libzmq one that is set means "as soon as can be".
        nice = _MOST_NICE if priority and not is_real_time else os.getpriority(os.PRIO_PROCESS, 0)
        try:
            with contextlib.suppress(ProcessLookupError):
                parameters = os.sched_param(priority if is_real_time else 0)
                if is_real_time or policy != os.sched_getscheduler(pid):
                    os.sched_setscheduler(pid, policy, parameters)
                if nice != os.getpriority(os.PRIO_PROCESS, pid):
                    os.setpriority(os.PRIO_PROCESS, pid, nice)
        except OSError as error:
            raise ZMQError(
                error.errno or errno.EINVAL,
                f"an I/O worker cannot run with THREAD_SCHED_POLICY {self.policy} and"
                f" THREAD_PRIORITY {self.priority}: {error.strerror}",
            ) from error

    def _allowed(self) -> Iterable[int]:
        return self.cpus or os.sched_getaffinity(os.getpid())

    def _set_cpus(self, pid: int, cpus: Iterable[int]) -> None:
        try:
            with contextlib.suppress(ProcessLookupError):  # its successor is told, too
                os.sched_setaffinity(pid, cpus)
        except OSError as error:
            raise ZMQError(
                error.errno or errno.EINVAL,
                f"an I/O worker cannot run on the CPUs {sorted(cpus)}: {error.strerror}",
            ) from error
