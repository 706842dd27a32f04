"""The worker's end of the stream to its application: commands come, events go.

The worker never waits for its application: events that it has not read yet are kept here.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable

from . import commands
from .commands import Packet
from .reactor import READ, WRITE, Reactor


class ApplicationGone(Exception):
    """The application has ended or closed its stream."""


class ApplicationLink:
    """The stream to the application, once `open` was called.

    *on_command* is called with each command and the descriptors that came with it, which are the
    callee's; *on_told* with the key of the socket that an event was about, when it is on its way.
    """

    def __init__(
        self,
        reactor: Reactor,
        stream: socket.socket,
        on_command: Callable[[Packet, list[int]], None],
        on_told: Callable[[int], None],
    ) -> None:
        self._reactor = reactor
        self._stream = stream
        self._on_command = on_command
        self._on_told = on_told
        self._outbox: deque[tuple[bytes, tuple[int, ...], int]] = deque()
        self._ended = False

    def open(self) -> None:
        """Begin to read."""
        self._stream.setblocking(False)
        self._reactor.watch(self._stream.fileno(), READ, self._on_ready)

    def tell(self, packet: Packet, fds: tuple[int, ...] = ()) -> None:
        """Send an event; descriptors in *fds* are closed here once they have been sent.

        Where nobody hears any more they are just closed. Nothing is raised: whoever tells is in the
        middle of something. The reactor stops behind it.
        """
        self._outbox.append((commands.encode(packet), fds, getattr(packet, "socket", -1)))
        if self._ended:
            self._end()
        elif len(self._outbox) == 1:
            self._send()

    def close(self) -> None:
        """Nothing is told from now on."""
        self._end()
        self._stream.close()

    def _end(self) -> None:
        self._ended = True
        self._reactor.stop()
        for _, fds, _ in self._outbox:
            for fd in fds:
                os.close(fd)
        self._outbox.clear()

    def _send(self) -> None:
        while self._outbox:
            data, fds, about = self._outbox[0]
            try:
                socket.send_fds(self._stream, [data], fds)
            except BlockingIOError:
                break
            except OSError:
                self._end()
                return
            self._outbox.popleft()
            for fd in fds:
                os.close(fd)
            self._on_told(about)
        self._reactor.watch(
            self._stream.fileno(), READ | (WRITE if self._outbox else 0), self._on_ready
        )

    def _on_ready(self, events: int) -> None:
        if events & WRITE:
            self._send()
        if events & ~WRITE:
            self._read()

    def _read(self) -> None:
        """Act upon all commands that have come. Raises ApplicationGone at their end."""
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(
                    self._stream, commands.MAX_PACKET, 4, socket.MSG_CMSG_CLOEXEC
                )
            except BlockingIOError:
                return
            except OSError as error:
                raise ApplicationGone from error
            if not data:
                raise ApplicationGone
            self._on_command(commands.decode(data), list(fds))
