"""Whether a message has arrived: what `send(..., copy=False, track=True)` is told by.

A pipe counts the messages that were written to it and those that were read, so a message that was
the n-th is there when n have been read. Nothing is counted for messages that nobody tracks.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from weakref import ref

if TYPE_CHECKING:
    from .pipe import Pipe
    from .shm.producer import Producer
    from .socket_base import SocketBase

_FIRST_PAUSE_S = 0.0001
_LONGEST_PAUSE_S = 0.02


class Delivery:
    """One message on its way, by one pipe or several; as an Event, it is set when it has arrived.

    Made before the message is sent, from the socket's *pipes* by their bits (None where there is
    none); `begins` is called when its part is written.
    """

    def __init__(self, socket: SocketBase, pipes: list[Pipe | None]) -> None:
        self._socket = ref(socket)
        self._before = {pipe: _written(pipe) for pipe in pipes if pipe is not None}
        # For each pipe that it goes by: the ring, and how many messages are read when it has been.
        self._places: dict[Pipe, tuple[Producer, int]] = {}

    def begins(self, pipes: list[Pipe | None]) -> None:
        """Note which of *pipes* have taken the message, or a part of it, since this was made."""
        for pipe in pipes:
            if pipe is None:
                continue
            before = self._before.get(pipe, 0)
            written = _written(pipe)
            if pipe.is_sending or written > before:
                self._places[pipe] = (pipe.outbound, max(written, before + 1))
        self._pipes = pipes
        self._before.clear()

    def is_set(self) -> bool:
        """Whether every receiver has read the message, or will never."""
        for pipe in list(self._places):
            if self._is_over(pipe):
                del self._places[pipe]
        return not self._places

    def wait(self, timeout: float | None = None) -> bool:
        """Wait up to *timeout* seconds (None: for ever); whether it has arrived then.

        Nobody tells of a message's arrival, so this looks again and again, ever more seldom.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = _FIRST_PAUSE_S
        while not self.is_set():
            if deadline is not None:
                pause = min(pause, deadline - time.monotonic())
                if pause <= 0:
                    return False
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
        return True

    def _is_over(self, pipe: Pipe) -> bool:
        socket = self._socket()
        if socket is None or socket.board is None:
            return True  # closed: what lingers is not the socket's any more
        if pipe.is_broken or self._pipes[pipe.bit] is not pipe:
            return True
        ring, place = self._places[pipe]
        if pipe.outbound is not ring:
            # A new connection: what is unread was written again in its order, this somewhere in it.
            place = _written(pipe) + pipe.is_sending
            self._places[pipe] = (pipe.outbound, place)
        return _written(pipe) - pipe.backlog >= place


def _written(pipe: Pipe) -> int:
    return pipe.outbound.describe()["written"]
