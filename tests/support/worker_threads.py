"""I/O workers as threads of this process, so that a test can have a system call of theirs fail.

Whatever the worker does is the real thing; only that it has a process of its own is not.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shmzmq.workers import link, pool
from shmzmq.workers.application import ApplicationGone
from shmzmq.workers.process import Worker
from support.waiting import PATIENCE_S


class WorkerThread(threading.Thread):
    """Stands in for a worker's Popen. A worker that fails has its stream closed, as by its end."""

    pid = os.getpid()
    returncode: int | None = None

    def __init__(self, stream: socket.socket) -> None:
        super().__init__(name="worker", daemon=True)
        self._stream = stream
        self.worker = Worker(stream)
        self.failure: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Be a worker."""
        try:
            self.worker.run()
        except ApplicationGone:
            self.worker.close()
        except BaseException as error:
            self.failure = error
            self._stream.close()

    def wait(self, timeout: float = PATIENCE_S) -> None:
        """Wait until it has ended."""
        self.join(timeout)
        assert not self.is_alive(), "the worker does not end"


@contextmanager
def worker_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[WorkerThread]]:
    """Have contexts use threads; give those that were started, none of which may fail."""
    threads: list[WorkerThread] = []
    reserve: list[link.WorkerLink] = []
    name = Path("/proc/self/comm").read_text()

    def start() -> tuple[WorkerThread, socket.socket]:
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        near.setblocking(False)
        threads.append(WorkerThread(far))
        return threads[-1], near

    with monkeypatch.context() as patches:
        patches.setattr(link, "start", start)
        patches.setattr(pool, "_reserve", reserve)
        yield threads
        while reserve:
            reserve.pop().end()
    Path("/proc/self/comm").write_text(name)  # a worker calls its process as the context wants it
    assert [thread.failure for thread in threads if thread.failure is not None] == []
