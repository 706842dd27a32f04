"""Run functions in fresh processes and get their results.

No child outlives this process, or the failure of a child that was started together with it.
"""

import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import Any

# Not fork: what is measured is a process as a user would start it, with nothing inherited.
SPAWN = get_context("spawn")
END_LIMIT_S = 10.0


class ChildFailed(Exception):
    """A child process raised, died, or took too long; `details` has its traceback, if any."""

    def __init__(self, message: str, details: str = "") -> None:
        """Keep the one-line `message` and the longer `details`."""
        super().__init__(message)
        self.details = details


@dataclass(frozen=True)
class Task:
    """A module-level function (or a partial of one) to be called in a process of its own."""

    name: str
    function: Callable[[], Any]


class Child:
    """A process that runs one task and reports what came of it."""

    def __init__(self, task: Task) -> None:
        """Start the process; it needs no `__main__` guard beyond what `python -m` gives."""
        self.name = task.name
        self._outcome: tuple[str, Any, str] | None = None
        self.report, far = SPAWN.Pipe(duplex=False)
        self._process = SPAWN.Process(
            target=_run, args=(task.function, far), name=task.name, daemon=True
        )
        self._process.start()
        far.close()  # so that the child's death is the end of the stream

    def result(self) -> Any:
        """Return what the task returned. Blocks until it reports. Raises ChildFailed."""
        if self._outcome is None:
            try:
                self._outcome = self.report.recv()
            except EOFError:
                died = f"{self.name} died: {self._how_it_ended()}"
                raise ChildFailed(died) from None
        kind, value, details = self._outcome
        if kind == "raised":
            raise ChildFailed(f"{self.name} failed: {value}", details)
        return value

    def check(self) -> None:
        """Raise ChildFailed if the process has failed or died; does not block."""
        if self._outcome is not None or self.report.poll():
            self.result()

    def finish(self) -> None:
        """Wait for the end of a process that has reported.

        Raises: ChildFailed when it hangs or ends with another exit code than 0.
        """
        self._process.join(END_LIMIT_S)
        if self._process.exitcode is None:
            raise ChildFailed(f"{self.name} is done but did not end within {END_LIMIT_S:.0f} s")
        if self._process.exitcode != 0:
            raise ChildFailed(f"{self.name} is done but ended badly: {self._how_it_ended()}")

    def kill(self) -> None:
        """End the process, whatever it is doing, and forget it."""
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(END_LIMIT_S)
            self._process.kill()
        self._process.join()
        self._process.close()
        self.report.close()

    def _how_it_ended(self) -> str:
        self._process.join(END_LIMIT_S)
        code = self._process.exitcode
        if code is None:
            return "its report stream closed"
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


@contextmanager
def children(tasks: Sequence[Task]) -> Iterator[list[Child]]:
    """Start all `tasks`; whatever is still running when the context is left is ended."""
    started: list[Child] = []
    try:
        for task in tasks:
            started.append(Child(task))
        yield started
    finally:
        for child in started:
            child.kill()


def run_together(tasks: Sequence[Task], time_limit_s: float) -> list[Any]:
    """Run all `tasks` at once and return their results in order.

    Blocks: until all have reported and ended, asleep.
    Raises: ChildFailed for the first that fails, dies or exceeds `time_limit_s`; the rest is ended.
    """
    deadline = time.monotonic() + time_limit_s
    with children(tasks) as started:
        waiting: dict[Any, Child] = {child.report: child for child in started}
        results: dict[Child, Any] = {}
        while waiting:
            ready = wait(list(waiting), max(0.0, deadline - time.monotonic()))
            if not ready:
                names = " and ".join(child.name for child in waiting.values())
                raise ChildFailed(f"no result from {names} within {time_limit_s:g} s")
            for report in ready:
                child = waiting.pop(report)
                results[child] = child.result()
        for child in started:
            child.finish()
    return [results[child] for child in started]


def _run(function: Callable[[], Any], report: "Connection[Any, Any]") -> None:
    """Call `function` in the child and send what came of it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        outcome = ("returned", function(), "")
    except BaseException as error:
        outcome = ("raised", f"{type(error).__name__}: {error}", traceback.format_exc())
    report.send(outcome)
    report.close()


def _end_with_parent() -> None:
    """Wait for the parent's death, asleep, and follow it, which a blocked `recv` never would."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
