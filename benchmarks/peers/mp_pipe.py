"""multiprocessing.Pipe: a Unix socket pair, from the standard library."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from pathlib import Path

from benchmarks.cases import Case, Pattern, Role, Transport
from benchmarks.gates import Gates
from benchmarks.peers.interface import Channel, echo_plainly

Ends = tuple["Connection[bytes, bytes]", "Connection[bytes, bytes]"]


@dataclass(frozen=True)
class PipePeer:
    """One duplex pipe; bytes go through `send_bytes` and `recv_bytes`, so nothing is pickled."""

    name: str = "mp.Pipe"
    transports: frozenset[Transport] = frozenset({Transport.IPC})
    patterns: frozenset[Pattern] = frozenset({Pattern.PUSH_PULL, Pattern.REQ_REP, Pattern.PAIR})

    def version(self) -> str:
        """Return the version of Python, whose part it is."""
        return f"Python {platform.python_version()}"

    @contextmanager
    def wire(self, case: Case, spawn: SpawnContext, directory: Path) -> Iterator[Ends]:
        """Make the two ends of the pipe."""
        near, far = spawn.Pipe(duplex=True)
        with near, far:
            yield near, far

    @contextmanager
    def open(
        self, case: Case, role: Role, wiring: Ends, gates: Gates, *, duplex: bool
    ) -> Iterator[Channel]:
        """Use one of the two ends, which are connected from the start."""
        with wiring[role] as end:
            yield Channel(
                end.send_bytes, end.recv_bytes, echo_plainly(end.send_bytes, end.recv_bytes)
            )

    def shut(self) -> None:
        """Do nothing: each end has been closed where it was used."""


PEER = PipePeer()
