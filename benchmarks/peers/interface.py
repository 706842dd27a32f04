"""What a library has to offer to be measured."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing.context import SpawnContext
from pathlib import Path
from typing import Any, Protocol

from benchmarks.cases import Case, Pattern, Role, Transport
from benchmarks.gates import Gates


@dataclass(frozen=True)
class BatchCalls:
    """Calls that send or receive many messages, where a library has them."""

    # Send up to so many messages with the body of that turn, and return how many.
    send: Callable[[int, int], int]
    # Receive up to so many; return how many came, and what returns the last of them.
    receive: Callable[[int], tuple[int, Callable[[], bytes]]]


@dataclass(frozen=True)
class Channel:
    """One end of an open connection, as the bound methods that the timed loops call directly."""

    send: Callable[[bytes], object]
    recv: Callable[[], object]
    # Return `count` messages, one by one, to whom they came from.
    echo: Callable[[int], None]
    # How many calls of `recv` take in one message.
    frames: int = 1
    # Instead of `send` and `recv`, if not None.
    batches: BatchCalls | None = None


class Peer(Protocol):
    """A library under measurement. Objects of this kind travel to child processes by pickle."""

    @property
    def name(self) -> str:
        """Return the name in tables and on the command line."""

    @property
    def transports(self) -> frozenset[Transport]:
        """Return where it can work at all."""

    @property
    def patterns(self) -> frozenset[Pattern]:
        """Return the patterns that it has, or can stand in for."""

    def version(self) -> str:
        """Return the version, for the report.

        Raises: ImportError, with the reason, when the library cannot run here.
        """

    def wire(self, case: Case, spawn: SpawnContext, directory: Path) -> AbstractContextManager[Any]:
        """Make, in the parent process, what both ends need to find each other.

        It is handed to both by `spawn`. The context is left when both have ended, however that was.
        Files may be made in `directory`, which goes away after the measurement.
        """

    def open(
        self, case: Case, role: Role, wiring: Any, gates: Gates, *, duplex: bool
    ) -> AbstractContextManager[Channel]:
        """Open one end, in its own process or thread; leaving the context closes it.

        Blocks: until the two ends are connected so far that no message sent from now on is lost.
        duplex: messages will go both ways; a one-way pattern then opens a second pair of sockets.
        """

    def shut(self) -> None:
        """Give back, at the end of a process, what its ends shared."""


def echo_plainly(send: Callable[[bytes], object], recv: Callable[[], Any]) -> Callable[[int], None]:
    """Return the echo loop of a channel whose answer goes back the way it came."""

    def echo(count: int) -> None:
        for _ in range(count):
            send(recv())

    return echo
