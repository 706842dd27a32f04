"""The processes of one test: who they are, how they end, and that they leave no name behind."""

import json
import os
import select
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
from crash.record import Record
from support.channel import ChildProcess
from support.waiting import PATIENCE_S, wait_for

from shmzmq.shm import segment as segments
from shmzmq.shm.layout import HEADER_SIZE, dtype

_LOOK_MS = 1


class Actor(ChildProcess):
    """A child that does what one function of crash.actors says. *record* is what it has done."""

    def __init__(self, name: str, part: dict[str, Any], record: Record) -> None:
        super().__init__("crash.actors", name, json.dumps(part | {"record": str(record.path)}))
        self.name = name
        self.record = record
        self.ended = False
        self._end = select.poll()
        self._pidfd = os.pidfd_open(self.pid)
        self._end.register(self._pidfd, select.POLLIN)

    def await_progress(self, following: int) -> None:
        """Wait until it is done with the message before number *following*, as long as it lives."""
        end = time.monotonic() + PATIENCE_S
        while self.record.following < following:
            assert not self._end.poll(_LOOK_MS), "the actor has ended"
            assert time.monotonic() < end, f"message {following - 1} is not done"

    def stop(self) -> None:
        """Have it end in the ordinary way, and see that it did."""
        self.channel.close()
        assert self.wait() == 0

    def suspend(self) -> None:
        """Stop it where it is: it does nothing any more until it is killed."""
        os.kill(self.pid, signal.SIGSTOP)

    def kill(self) -> None:
        """Kill it with SIGKILL and wait until it is dead."""
        super().kill()
        self.wait()
        self.channel.close()

    def wait(self) -> int:
        """Wait until it has ended; return its exit code."""
        code = super().wait()
        if not self.ended:
            self.ended = True
            os.close(self._pidfd)
        return code


class Cast:
    """Starts processes and sees to it that none is left at the end, nor any name of theirs."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._actors: list[Actor] = []
        self._serial = 0

    def start(self, name: str, *, wait: bool = True, **part: Any) -> Actor:
        """Start an actor; returns when its socket is open, unless it is not to *wait* for that."""
        actor = Actor(name, part, self.record())
        self._actors.append(actor)
        if wait:
            assert actor.channel.hear() == "open"
        return actor

    def record(self) -> Record:
        """Return a new record."""
        self._serial += 1
        return Record(self._directory / f"record-{self._serial}")

    def endpoint(self) -> str:
        """Return an endpoint of the test's own."""
        self._serial += 1
        return f"ipc://{self._directory}/end-{self._serial}"

    def finish(self) -> None:
        """Have everybody end, then look for names that are left after a sweep.

        The first context of a process begins with one; test_sweep has such a process.
        """
        running = [actor for actor in self._actors if not actor.ended]
        for actor in running:
            actor.channel.close()
        codes = [actor.wait() for actor in running]
        segments.sweep()
        # An I/O worker ends after its application, and until then it is a reader that may live.
        wait_for(lambda: not self.names(), f"no name is left of {self.describe()}", patience_s=2)
        assert codes == [0] * len(codes)

    def abort(self) -> None:
        """Kill whoever is left of a test that failed."""
        for actor in self._actors:
            if not actor.ended:
                actor.kill()
        segments.sweep()

    def describe(self) -> list[str]:
        """Return the names that are left, with their kinds and readers, and who was who."""
        actors = [f"{actor.name} {actor.pid}" for actor in self._actors]
        return [*map(_describe, self.names()), *actors]

    def names(self) -> list[str]:
        """Return the names in /dev/shm that belong to one of the actors."""
        return names_of(actor.pid for actor in self._actors)


def _describe(name: str) -> str:
    """Return a name with what the header of its segment says, if it is still there."""
    try:
        with open(f"{segments.DIRECTORY}{name}", "rb") as file:
            fields = np.frombuffer(file.read(HEADER_SIZE), dtype("segment"))[0]
    except (OSError, ValueError, IndexError):
        return name
    return f"{name} (kind {fields['kind']}, reader {fields['reader_pid']})"


def names_of(pids: Any) -> list[str]:
    """Return the names in /dev/shm whose owner has one of these process ids."""
    wanted = set(pids)
    return [str(name) for name in segments.names() if name.owner.pid in wanted]
