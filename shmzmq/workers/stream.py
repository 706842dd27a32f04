"""A non-blocking byte stream in the reactor; over a Unix socket it carries descriptors too."""

from __future__ import annotations

import os
import socket
import struct
from collections import deque
from collections.abc import Callable
from typing import Final

from .reactor import READ, WRITE, Reactor

_CHUNK: Final = 64 * 1024
_MOST_FDS: Final = 4
_MOST_UNCLAIMED: Final = 8


class ByteStream:
    """Reads what comes and writes what it is given, as the peer takes it.

    *on_data* gets each chunk, *on_end* the reason, once, when the stream is over; nothing is called
    after.
    """

    def __init__(
        self,
        reactor: Reactor,
        stream: socket.socket,
        on_data: Callable[[bytes], None],
        on_end: Callable[[str], None],
    ) -> None:
        self._reactor = reactor
        self._stream = stream
        self._on_data = on_data
        self._on_end = on_end
        self._unsent: deque[tuple[bytes, tuple[int, ...]]] = deque()
        self._received_fds: deque[int] = deque()
        self.is_unix = stream.family == socket.AF_UNIX
        self._open = True
        reactor.watch(stream.fileno(), READ, self._on_ready)

    def write(self, data: bytes, fds: tuple[int, ...] = ()) -> None:
        """Send *data*; *fds* travel with its first byte. What cannot be sent yet is kept."""
        if not data or not self._open:
            return
        self._unsent.append((data, fds))
        if len(self._unsent) == 1:
            self._flush()

    def take_fd(self) -> int | None:
        """Return the oldest descriptor received and not yet taken; the caller owns it now."""
        return self._received_fds.popleft() if self._received_fds else None

    def is_of_our_user(self) -> bool:
        """Whether the kernel says that the far end is a process of this machine and of our user."""
        if not self.is_unix:
            return False
        size = struct.calcsize("3I")  # pid, uid, gid
        data = self._stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        return bool(struct.unpack("3I", data)[1] == os.getuid())

    def give_up(self) -> tuple[socket.socket, bytes]:
        """Leave the stream to the caller, with what is still to be sent on it."""
        self._open = False
        self._reactor.forget(self._stream.fileno())
        self._drop_fds()
        self._forget_callbacks()
        unsent = b"".join(data for data, _ in self._unsent)
        return self._stream, unsent

    def _drop_fds(self) -> None:
        while self._received_fds:
            os.close(self._received_fds.popleft())

    def close(self) -> None:
        """Close the stream; what was not sent is dropped."""
        if not self._open:
            return
        self._open = False
        self._reactor.forget(self._stream.fileno())
        self._stream.close()
        self._drop_fds()
        self._forget_callbacks()

    def _forget_callbacks(self) -> None:
        """Nobody is called any more; whose methods they are may go without the collector."""
        self._on_data = self._on_end = _ignore

    def _end(self, reason: str) -> None:
        if self._open:
            on_end = self._on_end
            self.close()
            on_end(reason)

    def _on_ready(self, events: int) -> None:
        if events & WRITE:
            self._flush()
        if self._open and events & ~WRITE:
            self._read()

    def _read(self) -> None:
        fds: list[int] = []
        try:
            if self.is_unix:
                data, fds, _, _ = socket.recv_fds(
                    self._stream, _CHUNK, _MOST_FDS, socket.MSG_CMSG_CLOEXEC
                )
            else:
                data = self._stream.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(str(error))
            return
        self._received_fds.extend(fds)
        if not data:
            self._end("the peer closed the connection")
        elif len(self._received_fds) > _MOST_UNCLAIMED:
            self._end("the peer sent descriptors that nobody asked for")
        else:
            self._on_data(data)

    def _flush(self) -> None:
        while self._unsent:
            data, fds = self._unsent[0]
            try:
                sent = (
                    socket.send_fds(self._stream, [data], fds) if fds else self._stream.send(data)
                )
            except BlockingIOError:
                break
            except OSError as error:
                self._end(str(error))
                return
            if sent < len(data):
                self._unsent[0] = (data[sent:], ())
                break
            self._unsent.popleft()
        self._reactor.watch(
            self._stream.fileno(), READ | (WRITE if self._unsent else 0), self._on_ready
        )


def _ignore(_: object) -> None:
    """Do nothing: the stream is over."""
