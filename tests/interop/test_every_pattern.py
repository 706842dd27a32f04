"""Every pattern against libzmq, in both directions: what is sent comes out byte for byte.

Over each transport, with either side binding; frames of every size at which something changes on
the wire or in shared memory, as single parts and among others.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import zmq as pyzmq
from interop.conftest import ENDPOINTS, Meeting, known_endpoints
from interop.test_libzmq import SIZES, body
from support.factory import SocketFactory
from support.waiting import PATIENCE_MS, wait_for

import shmzmq as zmq

HUGE = 64 << 20

PAIRS = [
    (zmq.PAIR, zmq.PAIR),
    (zmq.REQ, zmq.REP),
    (zmq.REQ, zmq.ROUTER),
    (zmq.REP, zmq.REQ),
    (zmq.REP, zmq.DEALER),
    (zmq.DEALER, zmq.REP),
    (zmq.DEALER, zmq.DEALER),
    (zmq.DEALER, zmq.ROUTER),
    (zmq.ROUTER, zmq.REQ),
    (zmq.ROUTER, zmq.DEALER),
    (zmq.ROUTER, zmq.ROUTER),
    (zmq.PUSH, zmq.PULL),
    (zmq.PULL, zmq.PUSH),
    (zmq.PUB, zmq.SUB),
    (zmq.PUB, zmq.XSUB),
    (zmq.XPUB, zmq.SUB),
    (zmq.XPUB, zmq.XSUB),
    (zmq.SUB, zmq.PUB),
    (zmq.SUB, zmq.XPUB),
    (zmq.XSUB, zmq.PUB),
    (zmq.XSUB, zmq.XPUB),
]
PUBLISHERS, SUBSCRIBERS = (zmq.PUB, zmq.XPUB), (zmq.SUB, zmq.XSUB)
OPENING, MEETING_MS = b"opening", 10

every_pattern = pytest.mark.parametrize(
    ("ours", "theirs"), PAIRS, ids=[f"{ours.name}-{theirs.name}" for ours, theirs in PAIRS]
)


def envelope(kind: int, peer: int, name: bytes) -> list[bytes]:
    """Return what a socket of *kind* has before its messages to and from *name*, a *peer*."""
    parts = [name] if kind == zmq.ROUTER else []
    if kind in (zmq.ROUTER, zmq.DEALER) and peer in (zmq.REQ, zmq.REP):
        parts.append(b"")
    return parts


class Way:
    """From one end to the other."""

    def __init__(self, source: Any, target: Any, before: list[bytes], behind: list[bytes]) -> None:
        self._source, self._target = source, target
        self._before, self._behind = before, behind

    def carry(self, message: list[bytes]) -> None:
        """Send *message* and see it arrive as it was."""
        self._source.send_multipart([*self._before, *message])
        assert self._target.recv_multipart() == [*self._behind, *message]


def ways(meeting: Meeting, ours: int, theirs: int) -> list[Way]:
    """Bring two sockets together; return the ways messages go between them, in turn."""
    options: list[dict[str, Any]] = []
    for kind, name in ((ours, b"near"), (theirs, b"far")):
        named = {"routing_id": name} if kind in (zmq.REQ, zmq.DEALER, zmq.ROUTER) else {}
        options.append(named | ({"router_mandatory": 1} if kind == zmq.ROUTER else {}))
    near, far = meeting.pair(ours, theirs, *options)
    ends = [
        (near, ours, theirs, envelope(ours, theirs, b"far")),
        (far, theirs, ours, envelope(theirs, ours, b"near")),
    ]
    for end, other in (ends, ends[::-1]):
        if end[1] in SUBSCRIBERS:
            subscribe(end[0], end[1])
            until_published(other[0], end[0])
    if ours == theirs == zmq.ROUTER:
        introduce(near, far)
    if ours in (zmq.REP, zmq.ROUTER):
        ends.reverse()  # who answers, or knows nobody yet, hears first
    both = [Way(ends[i][0], ends[1 - i][0], ends[i][3], ends[1 - i][3]) for i in (0, 1)]
    return [way for way, end in zip(both, ends, strict=True) if speaks(end[1], end[2])]


def speaks(kind: int, peer: int) -> bool:
    """Whether a socket of *kind* sends messages to a *peer*."""
    if kind == zmq.XSUB:
        return peer == zmq.XPUB
    return kind not in (zmq.PULL, zmq.SUB)


def subscribe(subscriber: Any, kind: int) -> None:
    """Want everything."""
    if kind == zmq.SUB:
        subscriber.setsockopt(zmq.SUBSCRIBE, b"")
    else:
        subscriber.send(b"\x01")


def until_published(publisher: Any, subscriber: Any) -> None:
    """Publish until it comes through, and nothing is under way any more, in either direction."""

    def comes_through() -> bool:
        publisher.send(OPENING)
        return bool(subscriber.poll(MEETING_MS))

    wait_for(comes_through, "the subscription arrives")
    publisher.send(b"last")
    while subscriber.recv() != b"last":
        pass
    while publisher.poll(0):  # what an XPUB was told
        publisher.recv()


def introduce(near: Any, far: Any) -> None:
    """Return once two routers know each other."""

    def is_known() -> bool:
        try:
            near.send_multipart([b"far", OPENING])
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            return bool(near.poll(1))
        return True

    wait_for(is_known, "the far router is known")
    assert far.recv_multipart() == [b"near", OPENING]


def messages(size: int) -> Iterator[list[bytes]]:
    """Yield messages with frames of *size*: alone, at the beginning, in the middle, at the end."""
    yield [body(size)]
    yield [body(size), b"", body(size), b"end"]
    yield [b"begin", body(size)]


@every_pattern
def test_frames_of_every_size(meeting: Meeting, ours: int, theirs: int) -> None:
    carriers = ways(meeting, ours, theirs)
    for size in SIZES:
        for message in messages(size):
            for way in carriers:
                way.carry(message)


class NextDoor:
    """libzmq in this process, where large messages need not be brought to it and back."""

    def __init__(self) -> None:
        self._context: pyzmq.Context[pyzmq.Socket[bytes]] = pyzmq.Context()
        self._opened: list[pyzmq.Socket[bytes]] = []

    def open(self, socket_type: int, **options: Any) -> pyzmq.Socket[bytes]:
        """Open a socket with these options."""
        socket = self._context.socket(socket_type)
        self._opened.append(socket)
        for name, value in {"sndtimeo": PATIENCE_MS, "rcvtimeo": PATIENCE_MS, **options}.items():
            socket.setsockopt(getattr(pyzmq, name.upper()), value)
        return socket

    def end(self) -> None:
        """Close everything."""
        for socket in self._opened:
            socket.close(linger=0)
        self._context.term()


@pytest.fixture(params=known_endpoints())
def meeting_next_door(
    request: pytest.FixtureRequest, sockets: SocketFactory, we_bind: bool
) -> Iterator[Meeting]:
    """Each transport, with either side binding, and libzmq in this process."""
    endpoint, options = ENDPOINTS[request.param]
    libzmq: Any = NextDoor()
    yield Meeting(sockets, libzmq, endpoint, options, we_bind)
    libzmq.end()


@pytest.fixture(scope="module")
def huge() -> bytes:
    """A body of 64 MiB."""
    return body(HUGE)


@every_pattern
def test_a_frame_of_64_mib(meeting_next_door: Meeting, ours: int, theirs: int, huge: bytes) -> None:
    for way in ways(meeting_next_door, ours, theirs):
        way.carry([huge, b"end"])
