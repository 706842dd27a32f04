"""The process that collects the digests, starts the others, and ends them."""

import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.children import Child, Task, children
from demo.plan import DIGEST, END, READY, START, Plan
from demo.ventilator import ventilate
from demo.worker import work

# How often, while nothing arrives, to look whether a child has died.
LOOK_MS = 200


class Stalled(Exception):
    """No message came for as long as the caller was willing to wait, though all processes live."""


class BadMessage(Exception):
    """A message of another kind than can come at this point."""


@dataclass
class Harvest:
    """What has arrived at the sink."""

    digests: dict[str, bytes] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)  # unknown to the sink, or here twice
    shares: Counter[int] = field(default_factory=Counter)  # files by worker
    size: int = 0  # bytes
    seconds: float = 0.0  # from the word to start to the last digest
    stalled: str = ""  # why the wait for more was given up


class Inbox:
    """The sink's PULL socket, which never waits for a process that has died."""

    def __init__(self, socket: Any, processes: list[Child], patience_s: float) -> None:
        """Watch `processes` whenever the socket is silent, and give up after `patience_s`."""
        self._socket, self._patience_s = socket, patience_s
        self._processes = processes

    def take(self) -> list[bytes]:
        """Return the next message. Blocks. Raises ChildFailed, Stalled."""
        give_up = time.monotonic() + self._patience_s
        while not self._socket.poll(LOOK_MS):
            for process in self._processes:
                process.check()
            if time.monotonic() > give_up:
                raise Stalled(f"no message for {self._patience_s:g} s")
        message: list[bytes] = self._socket.recv_multipart()
        return message

    def take_only(self, kind: bytes) -> list[bytes]:
        """Return the next message, which must be of this kind. Raises BadMessage too."""
        message = self.take()
        if message[0] != kind:
            raise BadMessage(f"the sink expected {kind!r} and received {message[0]!r}")
        return message


def hash_everything(
    module: str,
    root: Path,
    names: list[str],
    workers: int,
    patience_s: float,
    on_progress: Callable[[int], None],
) -> Harvest:
    """Run ventilator and workers over the files `names` below `root`, and return what arrived.

    Blocks: until all digests are here, or none has come for `patience_s`.
    on_progress: called with the number of digests so far.
    Raises: ChildFailed when a process fails or dies, Stalled when the workers do not get ready.
    No process is left in any case.
    """
    with tempfile.TemporaryDirectory(prefix="demo-") as directory:
        plan = Plan(module, directory, str(root), workers)
        with plan.zmq.Context() as context, context.socket(plan.zmq.PULL) as socket:
            socket.linger = 0
            socket.bind(plan.sink)
            tasks = [
                Task("ventilator", partial(ventilate, plan)),
                *(
                    Task(f"worker {number}", partial(work, plan, number))
                    for number in range(workers)
                ),
            ]
            with children(tasks) as at_work:
                inbox = Inbox(socket, at_work, patience_s)
                for _ in at_work:
                    inbox.take_only(READY)
                started = time.perf_counter()
                say(START, plan.ventilator, plan, context)
                harvest = collect(inbox, names, started, on_progress)
                if not harvest.stalled:
                    for number in range(workers):
                        say(END, plan.worker(number), plan, context)
                    for process in at_work:
                        process.finish()
    return harvest


def collect(
    inbox: Inbox, names: list[str], started: float, on_progress: Callable[[int], None]
) -> Harvest:
    """Return the digests of all `names`, or of as many as come; the clock runs since `started`."""
    harvest, expected = Harvest(), set(names)
    try:
        while len(harvest.digests) < len(expected):
            _, path, digest, size, worker = inbox.take_only(DIGEST)
            name = os.fsdecode(path)
            if name not in expected or name in harvest.digests:
                harvest.unexpected.append(name)
                continue
            harvest.digests[name] = digest
            harvest.size += int(size)
            harvest.shares[int(worker)] += 1
            harvest.seconds = time.perf_counter() - started
            on_progress(len(harvest.digests))
    except Stalled as reason:
        harvest.stalled = str(reason)
    return harvest


def say(kind: bytes, endpoint: str, plan: Plan, context: Any) -> None:
    """Send a word to the process that has bound `endpoint`."""
    with context.socket(plan.zmq.PUSH) as to_process:
        to_process.connect(endpoint)
        to_process.send_multipart([kind])
