"""Pipes between two living applications while the link between their workers is down.

A worker's death is not its application's. The messages go on through shared memory; what is missing
is somebody to notice a far end's death. Until the two workers have met again, each watches the far
application itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..shm.liveness import ProcessId, is_alive
from .commands import PeerEnd
from .reactor import READ, Reactor


class KeptPipe(NamedTuple):
    """A pipe that has both its ends."""

    token: bytes
    segment: str
    bit: int  # ours
    peer: PeerEnd


class KeptPipes:
    """The pipes of one endpoint whose link is down.

    *on_lost* is called with one, which is kept no more, when its far end is dead.
    """

    def __init__(self, reactor: Reactor, on_lost: Callable[[KeptPipe], None]) -> None:
        self._reactor = reactor
        self._on_lost = on_lost
        self._pipes: dict[bytes, tuple[KeptPipe, int]] = {}

    def __iter__(self) -> Iterator[KeptPipe]:
        return iter([pipe for pipe, _ in self._pipes.values()])

    def __len__(self) -> int:
        return len(self._pipes)

    def keep(self, pipe: KeptPipe) -> None:
        """Watch the far end of *pipe*; if it is dead already, *on_lost* is called soon."""
        try:
            pidfd = os.pidfd_open(pipe.peer.pid)
        except OSError:
            pidfd = -1  # dead, or no descriptor is left to watch it by
        self._pipes[pipe.token] = (pipe, pidfd)
        if pidfd < 0 or not is_alive(ProcessId(pipe.peer.pid, pipe.peer.start)):
            self._reactor.call_later(0, lambda: self._lose(pipe.token))
        else:
            self._reactor.watch(pidfd, READ, lambda _: self._lose(pipe.token))

    def take(self, token: bytes) -> KeptPipe | None:
        """Stop watching and return the pipe with *token*; None if it is not kept here."""
        pipe, pidfd = self._pipes.pop(token, (None, -1))
        if pidfd >= 0:
            self._reactor.forget(pidfd)
            os.close(pidfd)
        return pipe

    def close(self) -> None:
        """Stop watching all of them."""
        for token in list(self._pipes):
            self.take(token)

    def end(self) -> None:
        """Close for good: the owner, whose method is called, may go without the collector."""
        self.close()
        self._on_lost = _ignore

    def _lose(self, token: bytes) -> None:
        pipe = self.take(token)
        if pipe is not None:
            self._on_lost(pipe)


def _ignore(_: KeptPipe) -> None:
    """Do nothing: the endpoint is closed."""
