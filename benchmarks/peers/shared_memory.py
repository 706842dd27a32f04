"""multiprocessing.shared_memory by hand: a ring of slots and two semaphores, for one sender.

The slots have the size of the messages, so no lengths are carried, and nothing helps against an end
that dies: it is the least that works.
"""

import platform
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle
from multiprocessing.context import SpawnContext
from multiprocessing.shared_memory import SharedMemory
from multiprocessing.synchronize import Semaphore
from pathlib import Path

from benchmarks.cases import Case, Pattern, Role, Transport
from benchmarks.gates import Gates
from benchmarks.peers.interface import Channel, echo_plainly
from benchmarks.peers.own_names import own_names
from benchmarks.peers.styles import echo_in_place, write


@dataclass(frozen=True)
class Ring:
    """What both ends of one direction share."""

    memory: str
    slots: int
    free: Semaphore
    filled: Semaphore


Rings = tuple[Ring, Ring]


@dataclass(frozen=True)
class SharedMemoryPeer:
    """One ring for each direction. In place, messages are written and read in their slots."""

    name: str
    in_place: bool
    transports: frozenset[Transport] = frozenset({Transport.IPC})
    patterns: frozenset[Pattern] = frozenset({Pattern.PUSH_PULL})

    def version(self) -> str:
        """Return the version of Python, whose part it is."""
        return f"Python {platform.python_version()}"

    @contextmanager
    def wire(self, case: Case, spawn: SpawnContext, directory: Path) -> Iterator[Rings]:
        """Make the memory and the semaphores."""
        slots = case.high_water_mark
        with own_names() as prefix, ExitStack() as stack:
            rings = []
            for direction in ("there", "back"):
                free, filled = spawn.Semaphore(slots), spawn.Semaphore(0)
                memory = SharedMemory(prefix + direction, create=True, size=slots * case.size)
                stack.callback(memory.unlink)
                stack.callback(memory.close)
                rings.append(Ring(memory.name, slots, free, filled))
            yield rings[0], rings[1]

    @contextmanager
    def open(
        self, case: Case, role: Role, wiring: Rings, gates: Gates, *, duplex: bool
    ) -> Iterator[Channel]:
        """Write to one ring and read from the other."""
        outward, inward = wiring[role], wiring[role.other]
        with mapped(outward, case.size) as outward_slots, mapped(inward, case.size) as inward_slots:
            if self.in_place:
                send = sender_in_place(outward, outward_slots)
                recv: Callable[[], object] = receiver_in_place(inward, inward_slots)
                yield Channel(send, recv, echo_in_place(send, recv))
            else:
                send, recv = sender(outward, outward_slots), receiver(inward, inward_slots)
                yield Channel(send, recv, echo_plainly(send, recv))

    def shut(self) -> None:
        """Do nothing: the memory is given back where it was made."""


@contextmanager
def mapped(ring: Ring, size: int) -> Iterator[list[memoryview]]:
    """Map a ring, and yield its slots."""
    memory = SharedMemory(ring.memory)
    assert memory.buf is not None  # as it is once closed
    whole = memory.buf
    slots = [whole[start : start + size] for start in range(0, ring.slots * size, size)]
    yield slots
    # Not after an error, whose traceback may hold views of the slots; the process ends then anyway.
    for slot in slots:
        slot.release()
    memory.close()


def sender(ring: Ring, slots: list[memoryview]) -> Callable[[bytes], object]:
    """Return what copies a message into the next free slot; blocks while there is none."""
    free, filled, upcoming = ring.free, ring.filled, cycle(slots)

    def send(body: bytes) -> None:
        free.acquire()
        next(upcoming)[:] = body
        filled.release()

    return send


def receiver(ring: Ring, slots: list[memoryview]) -> Callable[[], bytes]:
    """Return what copies the next message out of its slot; blocks while there is none."""
    free, filled, upcoming = ring.free, ring.filled, cycle(slots)

    def recv() -> bytes:
        filled.acquire()
        message = bytes(next(upcoming))
        free.release()
        return message

    return recv


def sender_in_place(ring: Ring, slots: list[memoryview]) -> Callable[[bytes], object]:
    """Return what writes into the next free slot what differs there; blocks while there is none."""
    free, filled, upcoming = ring.free, ring.filled, cycle(slots)

    def send(body: bytes) -> None:
        free.acquire()
        write(next(upcoming), body)
        filled.release()

    return send


def receiver_in_place(ring: Ring, slots: list[memoryview]) -> Callable[[], memoryview]:
    """Return what gives the next message where it lies, until it is called again.

    Blocks while there is none.
    """
    free, filled, upcoming = ring.free, ring.filled, cycle(slots)
    holds_one = False

    def recv() -> memoryview:
        nonlocal holds_one
        if holds_one:
            free.release()
        filled.acquire()
        holds_one = True
        return next(upcoming)

    return recv


COPYING = SharedMemoryPeer("shared_memory", in_place=False)
IN_PLACE = SharedMemoryPeer("shared_memory, in place", in_place=True)
