"""The processes of one test: who they are, how they end, and that they leave no name behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from crash.record import Record
from support.channel import ChildProcess
from support.waiting import wait_for

from shmzmq.shm import segment as segments
from shmzmq.shm.layout import HEADER_SIZE, dtype


class Actor(ChildProcess):
    """A child that does what one function of crash.actors says. *record* is what it has done."""

    def __init__(self, name: str, part: dict[str, Any], record: Record) -> None:
        super().__init__("crash.actors", name, json.dumps(part | {"record": str(record.path)}))
        self.name = name
        self.record = record
        self.ended = False

    def await_progress(self, following: int) -> None:
        """Wait until it is done with the message before number *following*."""
        wait_for(lambda: self.record.following >= following, f"message {following - 1} is done")

    def stop(self) -> None:
        """Have it end in the ordinary way, and see that it did."""
        self.ended = True
        self.channel.close()
        assert self.wait() == 0

    def suspend(self) -> None:
        """Stop it where it is: it does nothing any more until it is killed."""
        os.kill(self.pid, signal.SIGSTOP)

    def kill(self) -> None:
        """Kill it with SIGKILL and wait until it is dead."""
        super().kill()
        self.ended = True
        self.channel.close()


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
        """Have everybody end, then look for names that are left once a new context has swept."""
        running = [actor for actor in self._actors if not actor.ended]
        for actor in running:
            actor.channel.close()
        codes = [actor.wait() for actor in running]
        sweep()
        # An I/O worker ends after its application, and until then it is a reader that may live.
        wait_for(lambda: not self.names(), f"no name is left of {self.describe()}", patience_s=2)
        assert codes == [0] * len(codes)

    def abort(self) -> None:
        """Kill whoever is left of a test that failed."""
        for actor in self._actors:
            if not actor.ended:
                actor.kill()
        sweep()

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


def sweep() -> None:
    """Make a context in a new process, which sweeps what the dead have left."""
    subprocess.run([sys.executable, "-c", "import shmzmq; shmzmq.Context().term()"], check=True)
