"""Messages a second for each way to place applications and their I/O workers on CPUs."""

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from benchmarks.cases import Case, Pattern, Role, Transport
from benchmarks.gates import Gates
from benchmarks.peers.interface import Channel
from benchmarks.peers.zeromq import ZeromqPeer
from benchmarks.settings import Settings
from benchmarks.throughput import METRIC, Throughput
from benchmarks.turn_about import Answer, Question, Taker, spread

FREE = "nothing pinned"
TRANSPORTS = (Transport.IPC, Transport.TCP)


class Places(NamedTuple):
    """The CPU of each of the four processes."""

    sender: int
    sender_worker: int
    receiver_worker: int
    receiver: int

    def __str__(self) -> str:
        return (
            f"sender {self.sender}, workers {self.sender_worker} and {self.receiver_worker}, "
            f"receiver {self.receiver}"
        )


@dataclass(frozen=True)
class PlacedPeer(ZeromqPeer):
    """shmzmq with its processes on certain CPUs."""

    places: Places | None = None

    @contextmanager
    def open(
        self, case: Case, role: Role, wiring: tuple[str, str], gates: Gates, *, duplex: bool
    ) -> Iterator[Channel]:
        """Pin this process and have its worker pinned when it starts, then open one end."""
        if self.places is not None:
            sends = role is Role.NEAR
            own = self.places.sender if sends else self.places.receiver
            worker = self.places.sender_worker if sends else self.places.receiver_worker
            library = self.library()
            library.Context.instance().set(library.THREAD_AFFINITY_CPU_ADD, worker)
            os.sched_setaffinity(0, {own})
        with super().open(case, role, wiring, gates, duplex=duplex) as channel:
            yield channel


def sweep(cpus: Sequence[int], transport: Transport) -> Iterator[Places]:
    """Yield every placement on *cpus* but those that differ in the CPUs' numbers only.

    Over ipc the workers do nothing while messages flow, so they stay with their applications.
    """
    seen = set()
    for places in itertools.starmap(Places, itertools.product(cpus, repeat=4)):
        if transport is Transport.IPC and (
            places.sender_worker != places.sender or places.receiver_worker != places.receiver
        ):
            continue
        order = list(dict.fromkeys(places))
        shape = tuple(order.index(cpu) for cpu in places)
        if shape not in seen:
            seen.add(shape)
            yield places


def questions(most_cpus: int, message_size: int, settings: Settings) -> list[Question]:
    """Return one question for each transport: how fast PUSH/PULL is in each placement.

    The first *most_cpus* of the CPUs that this process may use are taken.
    """
    cpus = sorted(os.sched_getaffinity(0))[:most_cpus]
    found = []
    for transport in TRANSPORTS:
        case = Case(Pattern.PUSH_PULL, transport, message_size)
        placements: Iterable[tuple[str, Places | None]] = [
            (FREE, None),
            *((str(places), places) for places in sweep(cpus, transport)),
        ]
        takers: dict[str, Taker] = {
            name: Throughput(
                PlacedPeer("shmzmq", "shmzmq", places=places),
                case,
                settings.seconds,
                settings.time_limit_s,
            )
            for name, places in placements
        }
        found.append(Question("placement", case.labels(), takers, METRIC, True, FREE, "placement"))
    return found


def best(answer: Answer) -> tuple[str, float] | None:
    """Return the placement with the highest median, and that; None when all failed."""
    medians = {
        name: found.median
        for name in answer.rounds
        if (found := spread(answer.values(name, METRIC))) is not None
    }
    return max(medians.items(), key=lambda item: item[1]) if medians else None
