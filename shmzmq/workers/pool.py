"""A context's I/O workers: having some, choosing one for an endpoint, giving them back.

A worker is started when a context first needs one. One that its context has ended goes to a small
reserve of this process, so that making contexts in a loop is cheap. At exit workers are told, and
waited for.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING, Final

from ..constants import Errno
from ..errors import ZMQError
from ..shm.layout import Slot
from . import commands
from .link import WorkerGone, WorkerLink

if TYPE_CHECKING:
    from ..placement import Placement
    from ..shm.blocks import Pool
    from ..shm.directory import Directory

_RESERVE: Final = 4


class WorkerPool:
    """The workers of one context, whose *directory* tells of them.

    Each may take as much shared memory for blocks as *blocks*, the context's own, when it starts.

    Guarded by the context's lock.
    """

    def __init__(self, directory: Directory, placement: Placement, blocks: Pool) -> None:
        self._directory = directory
        self._placement = placement
        self._blocks = blocks
        self._workers: dict[int, WorkerLink] = {}

    def choose(self, affinity: int, most: int) -> WorkerLink:
        """Return the worker for a new endpoint: the least loaded one in *affinity* (0: of all).

        Bit k of *affinity* stands for worker k + 1, of *most* (IO_THREADS). A worker is started
        while there are fewer than that and all are busy. One that *affinity* selects is pinned to a
        CPU from then on. Raises ZMQError(EMTHREAD) when *affinity* names none.
        """
        link = self._choose(affinity, most)
        if affinity:
            link.pin()
        return link

    def _choose(self, affinity: int, most: int) -> WorkerLink:
        most = max(1, most)
        allowed = [k for k in range(most) if not affinity or affinity >> k & 1]
        if not allowed:
            raise ZMQError(
                Errno.EMTHREAD,
                f"AFFINITY {affinity:#b} selects no I/O worker: IO_THREADS allows {most}",
            )
        running = [k for k in allowed if k in self._workers]
        if len(running) < len(allowed) and all(self._workers[k].load for k in running):
            number = next(k for k in allowed if k not in self._workers)
            slot = self._directory.add(Slot.WORKER, f"worker {number + 1}")
            try:
                self._workers[number] = take_worker(
                    self._directory.name,
                    slot.key,
                    number,
                    self._placement,
                    self._blocks.limit,
                )
            except ZMQError:
                slot.free()
                raise
            return self._workers[number]
        return min((self._workers[k] for k in running), key=lambda link: link.load)

    def links(self) -> list[WorkerLink]:
        """Return the workers that are running."""
        return list(self._workers.values())

    def give_back(self) -> None:
        """The context has ended: its workers go to the reserve."""
        for link in self._workers.values():
            give_back(link)
        self._workers.clear()


_reserve: list[WorkerLink] = []
_reserve_lock = threading.Lock()


def take_worker(
    directory: str, worker_key: int, number: int, placement: Placement, block_pool_size: int
) -> WorkerLink:
    """Return a worker that serves the context of *directory*, from the reserve or a new one."""
    while True:
        with _reserve_lock:
            link = _reserve.pop() if _reserve else None
        if link is None:
            link = WorkerLink()
        try:
            link.serve(directory, worker_key, number, placement, block_pool_size)
        except ZMQError:
            link.end()
            raise
        if not link.is_gone:
            return link
        link.end()


def give_back(link: WorkerLink) -> None:
    """Take *link* into the reserve, or end it when that is full. Its context has ended."""
    try:
        link.ask(commands.Release(), commands.Idle, None)  # there is nothing behind the answer
    except WorkerGone:
        link.end()
        return
    finally:
        link.drop_events()
    link.load = 0
    with _reserve_lock:
        if len(_reserve) < _RESERVE:
            _reserve.append(link)
            return
    link.end()


@atexit.register
def _end_reserve() -> None:
    while _reserve:
        _reserve.pop().end()


def _forget_parents_reserve() -> None:
    global _reserve_lock
    _reserve_lock = threading.Lock()
    _reserve.clear()


os.register_at_fork(after_in_child=_forget_parents_reserve)
