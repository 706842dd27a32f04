"""Waiting for something that announces itself by no event we could block on.

Whatever can be waited for with a socket, a pipe or a process is waited for with that. These helpers
are for the rest: they look again and again, give the processor away between two looks, and give up
after PATIENCE_S.
"""

import os
import platform
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

# How long a test waits for what must happen before it calls it a failure. Nothing ever waits so
# long unless it is broken, so the value only has to be far above what a loaded machine needs, and
# below pytest's timeout.
PATIENCE_S = 20.0
PATIENCE_MS = int(PATIENCE_S * 1000)

# Number of the futex system call. A Python thread that wants the interpreter lock sleeps in it, one
# that is blocked in a socket does not: it waits for descriptors.
_FUTEX = {"x86_64": 202}.get(platform.machine(), 98)

T = TypeVar("T")


def wait_for(condition: Callable[[], T], what: str, patience_s: float = PATIENCE_S) -> T:
    """Return the first true value of condition(); TimeoutError after patience_s seconds."""
    deadline = time.monotonic() + patience_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"still not so after {patience_s} s: {what}")
        os.sched_yield()


def wait_until_blocked(thread: threading.Thread | None = None, pid: int | None = None) -> None:
    """Return once a thread of ours, or the main thread of process pid, sleeps in a system call.

    Waiting for the interpreter lock does not count, nor does a sleep that no signal would end, so
    what it sleeps in is the call that the test is about. Of another process all threads have to be
    asleep: one that has only just started may take a signal that is meant for the main thread.
    """
    if thread is not None:
        wait_for(lambda: thread.native_id is not None, f"{thread.name} starts")
        task = Path(f"/proc/self/task/{thread.native_id}")
    else:
        task = Path(f"/proc/{pid}/task/{pid}")

    def blocked() -> bool:
        tasks = [task] if thread is not None else sorted(task.parent.iterdir())
        before = [_sleep(each) for each in tasks]
        # "running", or the number of the system call that the task is in, and its arguments.
        number, *arguments = (task / "syscall").read_text().split()
        # Who waits for the interpreter lock does so with a time limit, unlike one who waits for us.
        in_a_call = number.isdigit() and (int(number) != _FUTEX or int(arguments[3], 16) == 0)
        # No switch in between, so it is one and the same sleep that all three looks have seen.
        return None not in before and in_a_call and [_sleep(each) for each in tasks] == before

    wait_for(blocked, f"{task} sleeps in a system call")


def _sleep(task: Path) -> tuple[str, ...] | None:
    """Return how often a task has been switched away from so far, or None if it is not asleep."""
    try:
        lines = (task / "status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):  # a thread that has ended meanwhile
        return None
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    if not status["State"].startswith("S"):
        return None
    return status["voluntary_ctxt_switches"], status["nonvoluntary_ctxt_switches"]


class Background(threading.Thread):
    """A thread whose result, or exception, is handed to whoever asks for it."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self._result: object = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Do the work and keep what came of it."""
        try:
            self._result = self._work()
        except BaseException as error:
            self._error = error

    def result(self) -> object:
        """Wait until the work is done; return what it returned or raise what it raised."""
        self.join(PATIENCE_S)
        if self.is_alive():
            raise TimeoutError("the background thread does not end")
        if self._error is not None:
            raise self._error
        return self._result
