"""The application's stream to one I/O worker process, and to its successors.

A worker is `python -m shmzmq.workers`. It watches its application and ends with it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..errors import ZMQError
from ..shm import chain
from ..shm.liveness import this_process
from . import commands
from .commands import Packet
from .launch import await_end, start

if TYPE_CHECKING:
    from ..placement import Placement
    from ..shm.board import Board

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

    def serve(
        self,
        directory: str,
        worker_key: int,
        number: int,
        placement: Placement,
        block_pool_size: int,
    ) -> None:
        """Have the worker serve the context of *directory*, where its slot is *worker_key*.

        It is that context's worker *number*, counted from 0, and runs where *placement* says.
        Raises ZMQError when it cannot run there.
        """
        me = this_process()
        name = placement.name(number)
        self._serve = commands.Serve(directory, worker_key, me.pid, me.start, name, block_pool_size)
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
                    _await(self.stream, select.POLLOUT)
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
                    _await(stream)
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

    def _is_ours(self, awaited: _Awaited | None) -> bool:
        """Whether something has come that is not an answer for another thread than *awaited*'s.

        That nothing has come yet does not say that what comes next is not one.
        """
        others = [other for other in self._awaited if other is not awaited]
        if not others:
            return True
        try:
            data = self.stream.recv(commands.MAX_PACKET, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True  # as reading will tell
        if not data:
            return True
        packet = commands.decode(data)
        return not any(other.is_met(packet) for other in others)

    def _read(self, awaited: _Awaited | None = None) -> Event | None:
        """Return the next event, or the answer that is *awaited* here; None: nothing for us."""
        if not self._is_ours(awaited):
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


def _await(stream: socket.socket, events: int = select.POLLIN) -> None:
    """Wait until *stream* has one of *events* or has ended.

    By poll, since select takes no descriptor above 1,023.
    """
    poll = select.poll()
    poll.register(stream, events)
    poll.poll()


def _log_failure(text: str) -> None:
    import logging

    logging.getLogger("shmzmq").error("an I/O worker process failed and is replaced:\n%s", text)


_running: set[WorkerLink] = set()


def _forget_parents_workers() -> None:
    while _running:
        _running.pop().forget()


os.register_at_fork(after_in_child=_forget_parents_workers)
