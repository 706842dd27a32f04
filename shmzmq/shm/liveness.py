"""Who a process is, so that it can be told from a later one with the same pid.

A process is its pid and the clock tick after boot at which it started (field 22 of
``/proc/PID/stat``; proc(5)). psutil's ``create_time`` is that tick turned into wall-clock time,
which moves when the clock is set; the tick itself does not.
"""

from __future__ import annotations

import errno
import os
from typing import NamedTuple


class ProcessId(NamedTuple):
    """A process of this pid namespace: *pid*, and *start* in clock ticks after boot."""

    pid: int
    start: int


def process_start(pid: int) -> int | None:
    """Return the tick at which process *pid* started, or None when there is no such process.

    A zombie counts as no process: it will never touch its memory again.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            # The command name stands in parentheses and may hold anything, so count from its end.
            fields = stat.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, start = fields[0], fields[19]
    return None if state in (b"Z", b"X") else int(start)


def is_alive(process: ProcessId) -> bool:
    """Tell whether that very process still runs; if in doubt, for want of descriptors, it does."""
    try:
        return process_start(process.pid) == process.start
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
            raise
        return _has_pid(process.pid)


def _has_pid(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


_self: ProcessId | None = None
_namespace: int | None = None


def pid_namespace() -> int:
    """Return the inode of this process's pid namespace: pids mean something only inside one.

    It is looked up once, as it costs more than all else about a segment's name. A process stays in
    the namespace that it was made in; unshare(2) and setns(2) move only the children to come.
    """
    global _namespace
    if _namespace is None:
        _namespace = os.stat("/proc/self/ns/pid").st_ino
    return _namespace


def this_process() -> ProcessId:
    """Return this process; read once, and again in a forked child."""
    global _self
    if _self is None:
        pid = os.getpid()
        _self = ProcessId(pid, process_start(pid) or 0)
    return _self


def _forget_parent() -> None:
    global _self, _namespace
    _self = _namespace = None


os.register_at_fork(after_in_child=_forget_parent)
