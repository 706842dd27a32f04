"""iceoryx2: publish and subscribe through shared memory, a Rust library, by its Python package.

The subscriber polls, as in the project's own benchmarks: a wake-up by its events costs system calls
for each message. So a receiver that waits takes a whole CPU.
"""

import ctypes
import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import SpawnContext
from pathlib import Path
from typing import Any

from benchmarks.cases import Case, Pattern, Role, Transport
from benchmarks.gates import Gates
from benchmarks.peers.interface import Channel, echo_plainly
from benchmarks.peers.own_names import own_names
from benchmarks.peers.packages import version_of
from benchmarks.peers.styles import echo_in_place, write

# Samples that a subscriber holds at once: the one that is read, and the next.
BORROWED = 2


@dataclass(frozen=True)
class Domain:
    """Where the two ends find each other and no other program's services."""

    root: str
    prefix: str


@dataclass(frozen=True)
class Iceoryx2Peer:
    """A service with slices of bytes for each direction; a full subscriber holds up its publisher.

    In place, samples are written where they are loaned and read where they lie.
    """

    name: str
    in_place: bool
    transports: frozenset[Transport] = frozenset({Transport.IPC})
    patterns: frozenset[Pattern] = frozenset({Pattern.PUSH_PULL})

    def version(self) -> str:
        """Return the version of the package. Raises ImportError."""
        return version_of("iceoryx2", "iceoryx2")

    @contextmanager
    def wire(self, case: Case, spawn: SpawnContext, directory: Path) -> Iterator[Domain]:
        """Choose names of our own, and remove what has them in the end."""
        with own_names() as prefix:
            yield Domain(f"{directory}/iox2", prefix)

    @contextmanager
    def open(
        self, case: Case, role: Role, wiring: Domain, gates: Gates, *, duplex: bool
    ) -> Iterator[Channel]:
        """Make the node, the services and the ports of one end; the receiver comes first."""
        library = importlib.import_module("iceoryx2")
        if role is Role.NEAR:
            gates.meet(role)
        node = make_node(library, wiring)
        names = ("there", "back")
        publisher = make_publisher(library, make_service(library, node, names[role], case), case)
        service = make_service(library, node, names[role.other], case)
        subscriber = service.subscriber_builder().create()
        if role is Role.FAR:
            gates.meet(role)
        gates.meet(role)
        # Both sides open the connection before anything is sent: a publisher does not wait for a
        # full subscriber that has not done so, and drops what finds no room.
        publisher.update_connections()
        gates.meet(role)
        subscriber.has_samples()
        gates.meet(role)
        if self.in_place:
            send = sender_in_place(publisher, case.size)
            recv: Callable[[], object] = receiver_in_place(subscriber)
            yield Channel(send, recv, echo_in_place(send, recv))
        else:
            send, recv = sender(publisher, case.size), receiver(subscriber, case.size)
            yield Channel(send, recv, echo_plainly(send, recv))

    def shut(self) -> None:
        """Do nothing: what the library leaves behind is removed by the parent process."""


def make_node(library: Any, domain: Domain) -> Any:
    """Return a node of the domain; signals stay with Python."""
    library.set_log_level(library.LogLevel.Error)
    config = library.config.default()
    config.global_cfg.root_path = library.Path.new(domain.root)
    config.global_cfg.prefix = library.FileName.new(domain.prefix)
    builder = library.NodeBuilder.new().config(config)
    builder = builder.signal_handling_mode(library.SignalHandlingMode.Disabled)
    return builder.create(library.ServiceType.Ipc)


def make_service(library: Any, node: Any, name: str, case: Case) -> Any:
    """Return one direction, which loses nothing and has one end on each side."""
    return (
        node.service_builder(library.ServiceName.new(name))
        .publish_subscribe(library.Slice[ctypes.c_uint8])
        .max_publishers(1)
        .max_subscribers(1)
        .history_size(0)
        .enable_safe_overflow(False)
        .subscriber_max_buffer_size(case.high_water_mark)
        .subscriber_max_borrowed_samples(BORROWED)
        .open_or_create()
    )


def make_publisher(library: Any, service: Any, case: Case) -> Any:
    """Return the sending port, which waits for a subscriber that has no room."""
    return (
        service.publisher_builder()
        .initial_max_slice_len(case.size)
        .max_loaned_samples(1)
        .backpressure_strategy(library.BackpressureStrategy.RetryUntilDelivered)
        .create()
    )


def sender(publisher: Any, size: int) -> Callable[[bytes], object]:
    """Return what copies a message into a loaned sample and sends that."""
    loan, copy = publisher.loan_slice_uninit, ctypes.memmove

    def send(body: bytes) -> None:
        sample = loan(size)
        copy(sample.payload_ptr, body, size)
        sample.assume_init().send()

    return send


def receiver(subscriber: Any, size: int) -> Callable[[], bytes]:
    """Return what copies the next message out of its sample; polls while there is none."""
    receive, copy = subscriber.receive, ctypes.string_at

    def recv() -> bytes:
        while (sample := receive()) is None:
            pass
        return copy(sample.payload_ptr, size)

    return recv


def sender_in_place(publisher: Any, size: int) -> Callable[[bytes], object]:
    """Return what writes into a loaned sample what differs there, and sends it."""
    loan = publisher.loan_slice_uninit

    def send(body: bytes) -> None:
        sample = loan(size)
        write(sample.payload().as_memory_view().cast("B"), body)
        sample.assume_init().send()

    return send


def receiver_in_place(subscriber: Any) -> Callable[[], memoryview]:
    """Return what gives the next message where it lies, until it is called again; polls."""
    receive = subscriber.receive
    held = None  # a view of a sample does not keep the sample

    def recv() -> memoryview:
        nonlocal held
        while (sample := receive()) is None:
            pass
        held = sample
        view: memoryview = sample.payload().as_memory_view()
        return view

    return recv


COPYING = Iceoryx2Peer("iceoryx2", in_place=False)
IN_PLACE = Iceoryx2Peer("iceoryx2, loan and view", in_place=True)
