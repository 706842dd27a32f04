"""The application's side of its I/O workers: having some, speaking with them, giving them back.

A worker is `python -m shmzmq.workers`, started when a context first needs one. One that its context
has ended goes to a small reserve of this process, so that making contexts in a loop is cheap.
Workers watch their application and end with it; at exit they are told, and waited for.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..constants import Errno
from ..errors import ZMQError
from ..shm import chain
from ..shm.layout import Slot
from ..shm.liveness import this_process
from . import commands
from .commands import Packet
from .launch import await_end, start

if TYPE_CHECKING:
    from ..placement import Placement
    from ..shm.board import Board
    from ..shm.directory import Directory

_RESERVE: Final = 4
_MOST_RESTARTS: Final = 5
_RESTARTS_S: Final = 10

Event = tuple[Packet, list[int]]


class WorkerGone(ZMQError):
    """The process behind *link* ended; what it was told has to be told to its successor."""

    def __init__(self, link: WorkerLink) -> None:
        super().__init__(
            errno.ECONNRESET, f"the I/O worker process {link.process.pid} has ended unexpectedly"
        )
        self.link = link
        self.pid = link.process.pid


class _Awaited(NamedTuple):
    """An answer that a thread waits for. It is that thread's to read, and nobody else's."""

    answer: type[Packet]
    key: int | None

    def is_met(self, packet: Packet) -> bool:
        """Whether *packet* is that answer."""
        fields: tuple[Any, ...] = packet
        return isinstance(packet, self.answer) and (self.key is None or fields[0] == self.key)


class WorkerLink:
    """A worker: a process, or one after the other, and the stream to it.

    Threads: any; a lock keeps packets and the order of events whole. Nobody has it while waiting
    for the worker to answer. So each packet is looked at before it is read: an answer stays in the
    stream, with all that comes behind it, until the thread is awake that has asked for it.
    Raises ZMQError with what the system said when none can be started: EMFILE, ENOMEM, …
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._events: deque[Event] = deque()  # read, and not collected yet
        self._awaited: list[_Awaited] = []
        self._old_streams: list[socket.socket] = []  # on which one who awaits an answer may wait
        self._serve: commands.Serve | None = None
        self._restarts: deque[float] = deque(maxlen=_MOST_RESTARTS)
        self._placement: Placement | None = None
        self._number = 0
        self._is_pinned = False
        self.load = 0  # endpoints that this worker carries
        self.is_gone = False  # its process has ended and has no successor yet
        self.process, self.stream = start()
        _running.add(self)

    def serve(self, directory: str, worker_key: int, number: int, placement: Placement) -> None:
        """Have the worker serve the context of *directory*, where its slot is *worker_key*.

        It is that context's worker *number*, counted from 0, and runs where *placement* says.
        Raises ZMQError when it cannot run there.
        """
        me = this_process()
        name = placement.name(number)
        self._serve = commands.Serve(directory, worker_key, me.pid, me.start, name)
        self._placement, self._number, self._is_pinned = placement, number, False
        placement.apply(self.process.pid)
        self.post(self._serve)

    def pin(self) -> None:
        """AFFINITY has selected this worker: keep it on one CPU. Raises ZMQError."""
        assert self._placement is not None, "it serves a context"
        with self._lock:
            if not self._is_pinned:
                self._placement.pin(self.process.pid, self._number)
                self._is_pinned = True

    def restart(self) -> None:
        """Start a process in place of the one that has ended, for the same context.

        What that one knew is lost. Raises ZMQError when none can be started, or when they keep
        ending.
        """
        now = time.monotonic()
        with self._lock:
            if len(self._restarts) == _MOST_RESTARTS and now - self._restarts[0] < _RESTARTS_S:
                raise ZMQError(
                    errno.ECONNRESET,
                    f"I/O worker processes ended {_MOST_RESTARTS} times within {_RESTARTS_S} s",
                )
            self._restarts.append(now)
            self._end_process()
            self.process, self.stream = start()
            self.is_gone = False
            assert self._serve is not None, "a worker is restarted for its context"
            assert self._placement is not None, "set with it"
            try:
                self._placement.apply(self.process.pid)
                if self._is_pinned:
                    self._placement.pin(self.process.pid, self._number)
            except ZMQError:
                self.is_gone = True  # nobody shall wait for a process that serves no context
                self._end_process()
                raise
            self.post(self._serve)

    def _end_process(self) -> None:
        """See the process end; its stream is closed when nobody may wait on it any more."""
        with contextlib.suppress(OSError):
            self.stream.shutdown(socket.SHUT_RDWR)
        self._old_streams.append(self.stream)
        if not self._awaited:
            self._close_old_streams()
        await_end(self.process)

    def _close_old_streams(self) -> None:
        while self._old_streams:
            self._old_streams.pop().close()

    # -- speaking ----------------------------------------------------------------------------------

    def post(self, packet: Packet, fds: tuple[int, ...] = ()) -> None:
        """Send a command; blocks only while the worker is behind.

        One for a process that has ended goes nowhere: its successor is told how things stand.
        """
        data = commands.encode(packet)
        with self._lock:
            while not self.is_gone:
                try:
                    socket.send_fds(self.stream, [data], fds)
                    return
                except BlockingIOError:
                    # The worker never waits for us, so it will read on.
                    _await([self.stream], select.POLLOUT)
                except ConnectionError:
                    self.is_gone = True

    def add_socket(self, key: int, board: Board) -> None:
        """Tell the worker of a socket that will use it, or that has closed and lingers."""
        add = commands.AddSocket(key, board.name)
        if board.doorbell.fileno() >= 0:
            self.post(add, (board.doorbell.fileno(),))
            return
        unheard = os.eventfd(0, os.EFD_CLOEXEC)
        try:
            self.post(add, (unheard,))
        finally:
            os.close(unheard)

    def remove_socket(self, key: int) -> None:
        """Tell the worker that a socket is closed."""
        self.post(commands.RemoveSocket(key))

    def collect(self) -> Iterator[Event]:
        """Yield the events that have come, with their descriptors; does not block.

        Raises WorkerGone, after the last of them.
        """
        with self._lock:
            while self._events:
                yield self._events.popleft()
            while (event := self._read()) is not None:
                yield event

    def ask(
        self,
        packet: Packet,
        answer: type[Packet],
        key: int | None,
        fds: tuple[int, ...] = (),
        meanwhile: Callable[[], None] | None = None,
    ) -> Packet:
        """Send a command and wait for its *answer* with *key* in its first field.

        Other threads speak with the worker meanwhile. Events that come to this one before the
        answer does are kept, and *meanwhile* is called, which is to collect them. Ends on Ctrl-C.
        Raises WorkerGone, and what *meanwhile* does.
        """
        awaited = _Awaited(answer, key)
        try:
            with self._lock:
                self._awaited.append(awaited)
                self.post(packet, fds)
                asked = self.process
            while True:
                with self._lock:
                    if self.process is not asked:
                        raise WorkerGone(self)  # and another thread has replaced it already
                    stream = self.stream
                    event = self._read(awaited)
                    if event is not None and awaited.is_met(event[0]):
                        return event[0]
                    if event is not None:
                        self._events.append(event)
                if event is None:
                    _await([stream])
                elif meanwhile is not None:
                    meanwhile()
        finally:
            with self._lock:
                self._awaited = [other for other in self._awaited if other is not awaited]
                if not self._awaited:
                    self._close_old_streams()

    def drop_events(self) -> None:
        """Let go what the events brought that have come and that nobody will collect."""
        with self._lock:
            while self._events:
                event, fds = self._events.popleft()
                for fd in fds:
                    os.close(fd)
                if isinstance(event, commands.Arrived):
                    chain.unlink(event.segment)  # nobody is left to read it

    def _is_anothers(self, awaited: _Awaited | None) -> bool:
        """Whether what comes next is an answer that a thread waits for, but not for *awaited*."""
        if all(other is awaited for other in self._awaited):
            return False
        try:
            data = self.stream.recv(commands.MAX_PACKET, socket.MSG_PEEK)
        except OSError:
            return False
        if not data:
            return False
        packet = commands.decode(data)
        return any(other.is_met(packet) for other in self._awaited if other is not awaited)

    def _read(self, awaited: _Awaited | None = None) -> Event | None:
        """Return the next event, or the answer that is *awaited* here; None: nothing for us."""
        if self._is_anothers(awaited):
            return None
        try:
            data, fds, _, _ = socket.recv_fds(
                self.stream, commands.MAX_PACKET, 4, socket.MSG_CMSG_CLOEXEC
            )
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        if not data:
            self.is_gone = True
            raise WorkerGone(self)
        packet = commands.decode(data)
        if isinstance(packet, commands.Failed):
            _log_failure(packet.text)
            return self._read(awaited)
        return packet, list(fds)

    # -- ending ------------------------------------------------------------------------------------

    def end(self) -> None:
        """Close the stream, at which the worker ends, and wait for that."""
        self.stream.close()
        _running.discard(self)
        await_end(self.process)

    def forget(self) -> None:
        """In a forked child: this worker is the parent's."""
        with contextlib.suppress(OSError):
            self.stream.close()
        self.process.returncode = 0  # so that nobody here waits for it


class WorkerPool:
    """The workers of one context, whose *directory* tells of them.

    Guarded by the context's lock.
    """

    def __init__(self, directory: Directory, placement: Placement) -> None:
        self._directory = directory
        self._placement = placement
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
                    self._directory.name, slot.key, number, self._placement
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


def _await(streams: Iterable[socket.socket], events: int = select.POLLIN) -> None:
    """Wait until one of *streams* has one of *events* or has ended.

    By poll, since select takes no descriptor above 1,023.
    """
    poll = select.poll()
    for stream in streams:
        poll.register(stream, events)
    poll.poll()


def _log_failure(text: str) -> None:
    import logging

    logging.getLogger("shmzmq").error("an I/O worker process failed and is replaced:\n%s", text)


_running: set[WorkerLink] = set()
_reserve: list[WorkerLink] = []
_reserve_lock = threading.Lock()


def take_worker(directory: str, worker_key: int, number: int, placement: Placement) -> WorkerLink:
    """Return a worker that serves the context of *directory*, from the reserve or a new one."""
    while True:
        with _reserve_lock:
            link = _reserve.pop() if _reserve else None
        if link is None:
            link = WorkerLink()
        try:
            link.serve(directory, worker_key, number, placement)
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


def _forget_parents_workers() -> None:
    global _reserve_lock
    _reserve_lock = threading.Lock()
    _reserve.clear()
    while _running:
        _running.pop().forget()


os.register_at_fork(after_in_child=_forget_parents_workers)
