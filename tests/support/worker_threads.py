"""I/O workers as threads of this process, so that a test can have a system call of theirs fail.

Whatever the worker does is the real thing; only that it has a process of its own is not.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from shmzmq.shm.board import create_board
from shmzmq.shm.directory import Directory
from shmzmq.shm.layout import Slot
from shmzmq.shm.liveness import this_process
from shmzmq.workers import commands, link, pool
from shmzmq.workers.application import ApplicationGone
from shmzmq.workers.process import Worker
from support.waiting import PATIENCE_S

SOCKET = 1
"""The key of a bare application's one socket."""

T = TypeVar("T")


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


class BareApplication:
    """The application's end of a worker's stream, without sockets: the test says each command."""

    def __init__(self) -> None:
        self.stream, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.stream.settimeout(PATIENCE_S)
        self.directory = Directory()
        self.board = create_board()
        self.thread = WorkerThread(far)
        slot = self.directory.add(Slot.WORKER, "worker")
        name = Path("/proc/self/comm").read_text().strip()
        self.say(commands.Serve(self.directory.name, slot.key, *this_process(), name, 0))
        self.say(commands.AddSocket(SOCKET, self.board.name), os.dup(self.board.doorbell.fileno()))

    def say(self, packet: commands.Packet, *fds: int) -> None:
        """Send a command, and the descriptors, which are the worker's then."""
        socket.send_fds(self.stream, [commands.encode(packet)], fds)
        for fd in fds:
            os.close(fd)

    def hear(self, kind: type[T]) -> T:
        """Return the next event of this kind; those before are passed over."""
        while True:
            data, fds, _, _ = socket.recv_fds(self.stream, commands.MAX_PACKET, 4)
            for fd in fds:
                os.close(fd)
            packet = commands.decode(data)
            if isinstance(packet, kind):
                return packet

    def close(self) -> None:
        """Go, and see the worker go."""
        self.stream.close()
        self.thread.wait()
        self.board.segment.unlink()
        self.directory.unlink()
        assert self.thread.failure is None
