"""What a test may leave behind: nothing. This takes stock before it and compares afterwards."""

import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from support.waiting import wait_for

# shmzmq-<uid>-<pid namespace>-<pid>-<start time>-<serial>, the names of shared-memory segments.
_SEGMENT = re.compile(r"shmzmq-\d+-\d+-(?P<pid>\d+)-\d+-\w+")
_COUNTED = re.compile(r"(socket|pipe|anon_inode|/dev/shm|/memfd)")
# Ended contexts keep their I/O workers in a reserve; each costs its owner a few descriptors.
_DESCRIPTORS_OF_A_WORKER = 8


@dataclass(frozen=True)
class Stock:
    """What this process and its peer hold at one moment."""

    children: frozenset[int]
    workers: frozenset[int]
    segments: frozenset[str]
    threads: frozenset[str]
    descriptors: Counter[str]

    @classmethod
    def take(cls, peer_pid: int) -> "Stock":
        """Look at this process; names in /dev/shm count also when the peer process owns them."""
        children = {child.pid: _command(child) for child in psutil.Process().children()}
        workers = frozenset(pid for pid, words in children.items() if "shmzmq.workers" in words)
        return cls(
            children=frozenset(children) - workers - {peer_pid},
            workers=workers,
            segments=frozenset(
                path.name
                for path in Path("/dev/shm").iterdir()
                if _owner(path) in (os.getpid(), peer_pid)
            ),
            threads=frozenset(os.listdir("/proc/self/task")),
            descriptors=_descriptors(),
        )

    def more_than(self, before: "Stock") -> list[str]:
        """Name what is here now and was not before; a worker in the reserve is no leftover."""
        found = [f"child process {pid}" for pid in self.children - before.children]
        found += [f"/dev/shm/{name}" for name in self.segments - before.segments]
        found += [f"thread {number}" for number in self.threads - before.threads]
        grown = self.descriptors - before.descriptors
        allowed = _DESCRIPTORS_OF_A_WORKER * len(self.workers - before.workers)
        if grown.total() > allowed:
            found.append(f"descriptors {dict(grown)}, of which {allowed} may be for new workers")
        return found


def check_nothing_left(before: Stock, peer_pid: int) -> None:
    """Raise AssertionError if there is more now than before; what is just ending is waited for."""
    found: list[str] = []

    def clean() -> bool:
        found[:] = Stock.take(peer_pid).more_than(before)
        return not found

    try:
        wait_for(clean, "nothing is left behind", patience_s=5)
    except TimeoutError:
        raise AssertionError(f"the test left behind: {', '.join(found)}") from None


def _command(process: psutil.Process) -> list[str]:
    """Return the command line of a process, empty when it is a zombie or gone."""
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def _owner(path: Path) -> int | None:
    """Return the process id in a segment's name, or None if it is none of shmzmq's."""
    match = _SEGMENT.fullmatch(path.name)
    return int(match["pid"]) if match else None


def _descriptors() -> Counter[str]:
    """Count the open descriptors of each kind that a messaging library may hold."""
    kinds: Counter[str] = Counter()
    for entry in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{entry}")
        except FileNotFoundError:
            continue  # the descriptor that listed the directory
        if match := _COUNTED.match(target):
            kinds[target if match[1] == "anon_inode" else match[1]] += 1
    return kinds
