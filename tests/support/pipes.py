"""Rings, pipes and bare sockets put together by hand: no context, no worker, one process or two."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from shmzmq.pipe import Pipe
from shmzmq.pipe_segment import create_pipe_segment, open_area
from shmzmq.shm import segment as segments
from shmzmq.shm.blocks import Pool
from shmzmq.shm.board import create_board
from shmzmq.shm.layout import OFFSETS, RECORDS_OFFSET, RING_CONTROL_OFFSETS, Kind
from shmzmq.shm.ring import Consumer, Producer
from shmzmq.shm.segment import Segment
from shmzmq.socket_base import SocketBase

MORE, COMMAND, BLOCK, PAD, CHAIN = 1, 2, 4, 8, 16
OK, NO_MEMORY, BROKEN = 1, 3, -1


def own_names() -> set[str]:
    """Return the names in /dev/shm that this process owns."""
    return {str(name) for name in segments.names() if name.owner.pid == os.getpid()}


@contextmanager
def no_names_left() -> Iterator[None]:
    """Fail when a name of this process stays in /dev/shm, or in the table of private ones."""
    named, private = own_names(), set(segments._private)
    yield
    assert own_names() <= named
    assert set(segments._private) <= private


@dataclass
class Ring:
    """Both ends of ring 0 of a private pipe segment, and the areas that it grew into."""

    capacity: int = 4096
    limit: int = 0
    areas: list[Segment] = field(default_factory=list)
    area_capacities: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.segment = create_pipe_segment(outbound=self.capacity, inbound=4096, private=True)
        self.producer = Producer(self.segment, 0, self.limit, self.make_area)
        self.consumer = Consumer(self.segment, 0, self.open_area)

    def make_area(self, capacity: int) -> Segment:
        """Make an area for the producer, and remember it."""
        area = segments.create_private(Kind.AREA, RECORDS_OFFSET + capacity)
        segments.publish(area)
        self.areas.append(area)
        self.area_capacities.append(capacity)
        return area

    def open_area(self, name: str) -> Segment:
        """Open an area as the pipe does."""
        return open_area(name, self.segment)

    def word(self, name: str) -> int:
        """Return a word of the ring's control block as it stands in memory."""
        return self.segment.word(RING_CONTROL_OFFSETS[0] + OFFSETS["ring"][name])

    def set_word(self, name: str, value: int) -> None:
        """Overwrite a word of the control block."""
        self.segment.set_word(RING_CONTROL_OFFSETS[0] + OFFSETS["ring"][name], value)

    def record_word(self, place: int) -> int:
        """Return the word at *place* bytes in the first area."""
        return self.segment.word(RECORDS_OFFSET + place)

    def set_record_word(self, place: int, value: int) -> None:
        """Overwrite the word at *place* bytes in the first area."""
        self.segment.set_word(RECORDS_OFFSET + place, value)

    def send(self, *parts: bytes) -> None:
        """Push *parts* as one message and publish it."""
        for part in parts[:-1]:
            assert self.producer.push(part, MORE) == OK
        assert self.producer.push(parts[-1]) == OK
        self.producer.commit()

    def receive(self) -> list[bytes] | None:
        """Pop one whole message; None when there is none."""
        parts = []
        while (record := self.consumer.pop()) is not None:
            parts.append(record[0])
            if not record[1] & MORE:
                return parts
        assert not parts, "the ring ended in the middle of a message"
        return None

    def discard(self) -> None:
        """Take the private names away."""
        self.segment.unlink()
        for area in self.areas:
            area.unlink()


def bare_socket(pattern: Any, *, private: bool = True) -> SocketBase:
    """Return a socket with *pattern* and a board, which has a name unless *private*."""
    socket = SocketBase()
    socket.set_up(create_board(private), pattern)
    socket.send_timeout_ms = socket.receive_timeout_ms = 20_000
    return socket


def connect(
    near: SocketBase,
    far: SocketBase,
    *,
    limit: int = 0,
    private: bool = True,
    ring: int = 16384,
    routing_id: bytes = b"",
) -> tuple[Pipe, Pipe]:
    """Lay a pipe between two sockets of this process; return *near*'s end (side 0) and *far*'s.

    *routing_id* is what *far* calls itself.
    """
    segment = create_pipe_segment(outbound=ring, inbound=ring, private=private)
    near_end, far_end = (
        Pipe(segment, side, socket.board, socket.board.allocate(), limit)
        for side, socket in enumerate((near, far))
    )
    near_end.routing_id = routing_id
    for socket, end, other in ((near, near_end, far_end), (far, far_end, near_end)):
        socket.hold_pipe(end)
        end.set_limits(limit, limit)
        end.attach(other.own, other.bit)
    near.pattern.attach(near_end)
    far.pattern.attach(far_end)
    return near_end, far_end


def discard(*held: SocketBase | Pipe | Pool) -> None:
    """Take away the names of sockets' boards, of pipes and of pools."""
    for item in held:
        if isinstance(item, Pool):
            item.close()
        elif isinstance(item, Pipe):
            item.discard()
        else:
            item.board.segment.unlink()


@dataclass
class Star:
    """A socket in the middle, others around it, and the pipes between: both ends of each."""

    hub: SocketBase
    around: list[SocketBase]
    ends: list[Pipe] = field(default_factory=list)
    far_ends: list[Pipe] = field(default_factory=list)

    def join(self, limit: int, routing_ids: Sequence[bytes]) -> None:
        """Lay a pipe from the hub to each socket around it; *routing_ids* are their names."""
        for socket, routing_id in zip(self.around, routing_ids, strict=True):
            near_end, far_end = connect(self.hub, socket, limit=limit, routing_id=routing_id)
            self.ends.append(near_end)
            self.far_ends.append(far_end)

    def discard(self) -> None:
        """Take all names away."""
        discard(self.hub, *self.around, *self.ends, *self.far_ends)


MakeStar = Callable[..., Star]
