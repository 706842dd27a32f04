"""Any library with pyzmq's API."""

import importlib
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.context import SpawnContext
from pathlib import Path
from typing import Any

from benchmarks.cases import Case, Pattern, Role, Transport
from benchmarks.gates import Gates
from benchmarks.peers.interface import Channel, echo_plainly

PROBE = b"probe"
START = b"start"
PROBE_INTERVAL_S = 0.002

# The socket that sends, the socket that receives, and which of the two ends binds.
SOCKETS = {
    Pattern.PUSH_PULL: ("PUSH", "PULL", Role.FAR),
    Pattern.PUB_SUB: ("PUB", "SUB", Role.NEAR),
    Pattern.REQ_REP: ("REQ", "REP", Role.FAR),
    Pattern.DEALER_ROUTER: ("DEALER", "ROUTER", Role.FAR),
    Pattern.PAIR: ("PAIR", "PAIR", Role.FAR),
}


@dataclass(frozen=True)
class ZeromqPeer:
    """A module with pyzmq's API, under the name it has in tables."""

    name: str
    module: str
    wraps_libzmq: bool = False
    transports: frozenset[Transport] = frozenset(Transport)
    patterns: frozenset[Pattern] = frozenset(Pattern)

    def library(self) -> Any:
        """Import and return the module."""
        return importlib.import_module(self.module)

    def version(self) -> str:
        """Return the version of the module, and of the libzmq that it wraps.

        Raises: ImportError when there is no such module, or when it is not built.
        """
        library = self.library()
        if not hasattr(library, "Context"):
            raise ImportError(f"the module {self.module} has no Context")
        own = str(library.__version__)
        return f"{own} (libzmq {library.zmq_version()})" if self.wraps_libzmq else own

    @contextmanager
    def wire(self, case: Case, spawn: SpawnContext, directory: Path) -> Iterator[tuple[str, str]]:
        """Choose the endpoints for the way there and the way back."""
        if case.transport is Transport.INPROC:
            yield "inproc://there", "inproc://back"
        elif case.transport is Transport.TCP:
            there, back = free_ports(2)
            yield f"tcp://127.0.0.1:{there}", f"tcp://127.0.0.1:{back}"
        else:
            yield f"ipc://{directory}/there", f"ipc://{directory}/back"

    @contextmanager
    def open(
        self, case: Case, role: Role, wiring: tuple[str, str], gates: Gates, *, duplex: bool
    ) -> Iterator[Channel]:
        """Open the sockets of one end: binding ends first, then the connecting ones."""
        library = self.library()
        there, back = wiring
        with ExitStack() as stack:
            ways = [Way(library, case, there, sender=Role.NEAR, role=role)]
            if duplex and case.pattern.one_way:
                ways.append(Way(library, case, back, sender=Role.FAR, role=role))
            for way in ways:
                stack.callback(way.socket.close, 0)
            for way in ways:
                if way.binds:
                    way.socket.bind(way.endpoint)
            gates.meet(role)
            for way in ways:
                if not way.binds:
                    way.socket.connect(way.endpoint)
            if case.pattern.lossy:
                for way in ways:
                    wait_for_subscription(way, role, gates)
            yield make_channel(library, ways, case.pattern, role)

    def shut(self) -> None:
        """End the context that the ends of this process shared."""
        self.library().Context.instance().term()


def free_ports(count: int) -> list[int]:
    """Return ports that nobody on this machine listens on; another may take one meanwhile."""
    with ExitStack() as stack:
        streams = [stack.enter_context(socket.socket()) for _ in range(count)]
        for stream in streams:
            stream.bind(("127.0.0.1", 0))
        return [stream.getsockname()[1] for stream in streams]


class Way:
    """One direction of a channel: the socket that this end has on it."""

    def __init__(
        self, library: Any, case: Case, endpoint: str, *, sender: Role, role: Role
    ) -> None:
        """Make the socket of the end `role` on a way whose messages come from `sender`."""
        sending, receiving, binder = SOCKETS[case.pattern]
        self.endpoint = endpoint
        self.sends = role is sender
        self.binds = self.sends is (binder is Role.NEAR)
        kind = sending if self.sends else receiving
        self.socket = library.Context.instance().socket(getattr(library, kind))
        self.socket.sndhwm = self.socket.rcvhwm = case.high_water_mark
        if kind == "SUB":
            self.socket.subscribe(b"")


def wait_for_subscription(way: Way, role: Role, gates: Gates) -> None:
    """Return when messages published on this way are known to arrive: a probe has come through."""
    if way.sends:
        way.socket.send(PROBE)
        while not gates.was_heard(role, PROBE_INTERVAL_S):
            way.socket.send(PROBE)
        way.socket.send(START)
    else:
        way.socket.recv()
        gates.tell_heard(role)
        while way.socket.recv() != START:
            pass


def make_channel(library: Any, ways: list[Way], pattern: Pattern, role: Role) -> Channel:
    """Return the methods of the socket that sends and of the one that receives, often the same."""
    outward = next((way.socket for way in ways if way.sends), ways[0].socket)
    inward = next((way.socket for way in ways if not way.sends), ways[0].socket)
    if pattern is Pattern.DEALER_ROUTER and role is Role.FAR:
        echo = echo_to_sender(outward, library.SNDMORE)
        return Channel(outward.send, inward.recv, echo, frames=2)
    return Channel(outward.send, inward.recv, echo_plainly(outward.send, inward.recv))


def echo_to_sender(router: Any, sndmore: int) -> Callable[[int], None]:
    """Return the echo loop of a ROUTER, which names the one to answer in a frame of its own."""
    send, recv = router.send, router.recv

    def echo(count: int) -> None:
        for _ in range(count):
            send(recv(), sndmore)
            send(recv())

    return echo
