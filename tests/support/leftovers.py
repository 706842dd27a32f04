"""What a test may leave behind: nothing. This takes stock before it and compares afterwards."""

import os
import re
import socket
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]

from shmzmq.shm.segment import SegmentName
from shmzmq.workers import launch
from support.waiting import wait_for

_COUNTED = re.compile(r"(socket|pipe|anon_inode|/dev/shm|/memfd)")
# Ended contexts keep their I/O workers in a reserve; each costs its owner a few descriptors.
_DESCRIPTORS_OF_A_WORKER = 8

# The workers that this process has started. One that was killed is no child any more, and may have
# left names all the same.
_started: set[int] = set()
_start_process = launch._start_process


def _start_and_note() -> tuple[subprocess.Popen[bytes], socket.socket]:
    process, stream = _start_process()
    _started.add(process.pid)
    return process, stream


launch._start_process = _start_and_note


@dataclass(frozen=True)
class Stock:
    """What this process and its peer hold at one moment."""

    children: frozenset[int]
    workers: frozenset[int]
    segments: dict[int, frozenset[str]]  # by their owner's pid
    peer: int
    threads: frozenset[str]
    descriptors: Counter[str]

    @classmethod
    def take(cls, peer_pid: int) -> "Stock":
        """Look at this process; names in /dev/shm count for the peer and the workers too."""
        children = {child.pid: _command(child) for child in psutil.Process().children()}
        workers = frozenset(pid for pid, words in children.items() if "shmzmq.workers" in words)
        return cls(
            children=frozenset(children) - workers - {peer_pid},
            workers=workers,
            segments=_segments((os.getpid(), peer_pid, *_started)),
            peer=peer_pid,
            threads=frozenset(os.listdir("/proc/self/task")),
            descriptors=_descriptors(),
        )

    def more_than(self, before: "Stock") -> list[str]:
        """Name what is here now and was not before; a worker in the reserve is no leftover."""
        found = [f"child process {pid}" for pid in self.children - before.children]
        for owner, names in self.segments.items():
            known = before.segments.get(owner, frozenset())
            # The peer has a fresh context, with as many names of its own as the last one had.
            if owner != self.peer or len(names) > len(known):
                found += [f"/dev/shm/{name}" for name in names - known]
        found += [f"thread {number}" for number in self.threads - before.threads]
        grown = self.descriptors - before.descriptors
        allowed = _DESCRIPTORS_OF_A_WORKER * len(self.workers - before.workers)
        if grown.total() > allowed:
            found.append(f"descriptors {dict(grown)}, of which {allowed} may be for new workers")
        return found


def check_nothing_left(before: Stock, peer_pid: int, patience_s: float = 5) -> None:
    """Raise AssertionError if there is more now than before; what is just ending is waited for."""
    found: list[str] = []

    def clean() -> bool:
        found[:] = Stock.take(peer_pid).more_than(before)
        return not found

    try:
        wait_for(clean, "nothing is left behind", patience_s=patience_s)
    except TimeoutError:
        raise AssertionError(f"the test left behind: {', '.join(found)}") from None


def _command(process: psutil.Process) -> list[str]:
    """Return the command line of a process, empty when it is a zombie or gone."""
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def _segments(owners: Iterable[int]) -> dict[int, frozenset[str]]:
    """Return the names in /dev/shm that shmzmq gave, for each of the processes *owners*."""
    names: dict[int, set[str]] = {owner: set() for owner in owners}
    for entry in os.listdir("/dev/shm"):
        name = SegmentName.parse(entry)
        if name is not None and name.owner.pid in names:
            names[name.owner.pid].add(entry)
    return {owner: frozenset(theirs) for owner, theirs in names.items()}


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
