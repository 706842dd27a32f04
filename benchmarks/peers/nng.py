"""pynng: nng, the successor of nanomsg, from Python."""

import importlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.context import SpawnContext
from pathlib import Path

from benchmarks.cases import Case, Pattern, Role, Transport
from benchmarks.gates import Gates
from benchmarks.peers.interface import Channel, echo_plainly
from benchmarks.peers.packages import version_of

Endpoints = tuple[str, str]


@dataclass(frozen=True)
class NngPeer:
    """Push0 and Pull0 over ipc, a pair for each direction; the ends that receive listen."""

    name: str = "pynng"
    transports: frozenset[Transport] = frozenset({Transport.IPC})
    patterns: frozenset[Pattern] = frozenset({Pattern.PUSH_PULL})

    def version(self) -> str:
        """Return the version of the package. Raises ImportError."""
        return version_of("pynng", "pynng")

    @contextmanager
    def wire(self, case: Case, spawn: SpawnContext, directory: Path) -> Iterator[Endpoints]:
        """Choose the endpoints for the way there and the way back."""
        yield f"ipc://{directory}/there", f"ipc://{directory}/back"

    @contextmanager
    def open(
        self, case: Case, role: Role, wiring: Endpoints, gates: Gates, *, duplex: bool
    ) -> Iterator[Channel]:
        """Open a socket for each direction."""
        library = importlib.import_module("pynng")
        outward, inward = wiring[role], wiring[role.other]
        mark = case.high_water_mark
        with ExitStack() as stack:
            pull = library.Pull0(listen=inward, recv_buffer_size=mark, recv_max_size=0)
            stack.enter_context(pull)
            gates.meet(role)
            push = library.Push0(dial=outward, send_buffer_size=mark, block_on_dial=True)
            stack.enter_context(push)
            gates.meet(role)
            yield Channel(push.send, pull.recv, echo_plainly(push.send, pull.recv))

    def shut(self) -> None:
        """Do nothing: the sockets are closed where they were opened."""


PEER = NngPeer()
