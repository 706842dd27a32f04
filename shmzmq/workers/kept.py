"""Pipes between two living applications while the link between their workers is down.

A worker's death is not its application's. The messages go on through shared memory; what is missing
is somebody to notice a far end's death. Until the two workers have met again, each watches the far
application itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from ..shm.liveness import ProcessId, is_alive
from .commands import PeerEnd
from .reactor import READ, Reactor, Timer

_LOOK_AGAIN_S: Final = 0.5
"""The pause before another look where no descriptor or memory is left to watch a process by."""


class KeptPipe(NamedTuple):
    """A pipe that has both its ends."""

    token: bytes
    segment: str
    bit: int  # ours
    peer: PeerEnd


class _Watch:
    """A kept pipe, and by what its far end is watched: a pidfd, or a look to come."""

    def __init__(self, pipe: KeptPipe) -> None:
        self.pipe = pipe
        self.pidfd = -1
        self.timer: Timer | None = None


class KeptPipes:
    """The pipes of one endpoint whose link is down.

    *on_lost* is called with one, which is kept no more, when its far end is dead.
    """

    def __init__(self, reactor: Reactor, on_lost: Callable[[KeptPipe], None]) -> None:
        self._reactor = reactor
        self._on_lost = on_lost
        self._watches: dict[bytes, _Watch] = {}

    def __iter__(self) -> Iterator[KeptPipe]:
        return iter([watch.pipe for watch in self._watches.values()])

    def __len__(self) -> int:
        return len(self._watches)

    def keep(self, pipe: KeptPipe) -> None:
        """Watch the far end of *pipe*; if it is dead already, *on_lost* is called soon."""
        watch = self._watches[pipe.token] = _Watch(pipe)
        self._look_in(watch, 0)

    def take(self, token: bytes) -> KeptPipe | None:
        """Stop watching and return the pipe with *token*; None if it is not kept here."""
        watch = self._watches.pop(token, None)
        if watch is None:
            return None
        if watch.timer is not None:
            watch.timer.cancel()
        self._close(watch)
        return watch.pipe

    def close(self) -> None:
        """Stop watching all of them."""
        for token in list(self._watches):
            self.take(token)

    def end(self) -> None:
        """Close for good: the owner, whose method is called, may go without the collector."""
        self.close()
        self._on_lost = _ignore

    def _look_in(self, watch: _Watch, pause_s: float) -> None:
        watch.timer = self._reactor.call_later(pause_s, lambda: self._look(watch))

    def _look(self, watch: _Watch) -> None:
        """Begin to watch a far end, or find it dead.

        Only that there is no such process is its death: what we lack may be there later.
        """
        watch.timer = None
        peer = watch.pipe.peer
        try:
            watch.pidfd = os.pidfd_open(peer.pid)
            is_dead = not is_alive(ProcessId(peer.pid, peer.start))
            if not is_dead:
                self._reactor.watch(watch.pidfd, READ, lambda _: self._lose(watch))
        except ProcessLookupError:
            is_dead = True
        except OSError:
            self._close(watch)
            self._look_in(watch, _LOOK_AGAIN_S)
            return
        if is_dead:
            self._lose(watch)

    def _lose(self, watch: _Watch) -> None:
        self.take(watch.pipe.token)
        self._on_lost(watch.pipe)

    def _close(self, watch: _Watch) -> None:
        if watch.pidfd >= 0:
            self._reactor.forget(watch.pidfd)
            os.close(watch.pidfd)
            watch.pidfd = -1


def _ignore(_: KeptPipe) -> None:
    """Do nothing: the endpoint is closed."""
