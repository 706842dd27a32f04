"""What the tests of ZMTP share: captured connections, and a wire between two engines."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from shmzmq.zmtp.connection import Connection
from shmzmq.zmtp.events import Event
from shmzmq.zmtp.mechanisms.base import Mechanism
from shmzmq.zmtp.mechanisms.null import NullMechanism
from shmzmq.zmtp.options import ConnectionOptions

VECTORS = Path(__file__).parents[2] / "vectors"

SIGNATURE = b"\xff" + bytes(7) + b"\x01\x7f"
V31_REST = b"\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(32)
V31_GREETING = SIGNATURE + V31_REST
READY_ROUTER = b"\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06ROUTER"
V30_GREETING = SIGNATURE + b"\x03\x00" + V31_REST[2:]

CHUNKINGS = (0, 1, 7)
"""How octets are fed: whole, one by one, and in pieces that end nowhere in particular."""


class Segment(NamedTuple):
    """What one side of a captured connection wrote at once; node 0 is the side that connected."""

    node: int
    data: bytes


def captured(name: str) -> list[Segment]:
    """Return the segments of a capture in their order: lines of offset, octets, text; node 1's
    begin with a tab.
    """
    segments: list[Segment] = []
    at = [0, 0]
    for line in (VECTORS / name).read_text().splitlines():
        node = int(line.startswith("\t"))
        offset, _, rest = line.strip().partition("  ")
        if len(offset) != 8 or not all(digit in "0123456789ABCDEF" for digit in offset):
            continue
        assert int(offset, 16) == at[node], f"{name}: octets are missing before {line!r}"
        data = bytes.fromhex(rest[:49])
        at[node] += len(data)
        continues = segments and segments[-1].node == node and len(segments[-1].data) % 16 == 0
        if continues:
            segments[-1] = Segment(node, segments[-1].data + data)
        else:
            segments.append(Segment(node, data))
    assert all(at), f"{name} holds no octets of one side"
    return segments


def written_by(segments: Iterable[Segment], node: int) -> bytes:
    """Return all that one side of a capture wrote."""
    return b"".join(segment.data for segment in segments if segment.node == node)


def connection(
    socket_type: str = "DEALER",
    *,
    mechanism: Mechanism | None = None,
    now: float = 0.0,
    identity: bytes = b"",
    metadata: Mapping[str, bytes] | None = None,
    **options: int,
) -> Connection:
    """Return a connection that has just been made."""
    chosen = ConnectionOptions(socket_type, identity, metadata or {}, **options)
    return Connection(chosen, mechanism or NullMechanism(), now)


def drain(engine: Connection) -> list[Event]:
    """Return every event that *engine* has."""
    events = []
    while (event := engine.next_event()) is not None:
        events.append(event)
    return events


def feed(engine: Connection, data: bytes, *, now: float = 0.0, chunk: int = 0) -> list[Event]:
    """Give *data* to *engine* in pieces of *chunk* octets (0: whole); return what it tells."""
    events = []
    for at in range(0, len(data), chunk or max(len(data), 1)):
        engine.receive_data(data[at : at + (chunk or len(data))], now)
        events += drain(engine)
    return events


def established(socket_type: str = "DEALER", peer: str = "ROUTER", **options: Any) -> Connection:
    """Return a connection that has shaken hands with a 3.1 peer and has nothing left to send or
    tell.
    """
    engine = Connection(ConnectionOptions(socket_type, **options), NullMechanism(), 0.0)
    socket = peer.encode()
    ready = b"\x05READY\x0bSocket-Type" + len(socket).to_bytes(4) + socket
    feed(engine, V31_GREETING + bytes((4, len(ready))) + ready)
    engine.data_to_send()
    return engine


class Wire:
    """Carries octets between two engines, in pieces of *chunk*, until neither has more to say."""

    def __init__(self, left: Connection, right: Connection, *, chunk: int = 0) -> None:
        self.left, self.right, self._chunk = left, right, chunk

    def settle(self, now: float = 0.0) -> tuple[list[Event], list[Event]]:
        """Return what happened to the left and to the right engine."""
        told: tuple[list[Event], list[Event]] = (drain(self.left), drain(self.right))
        moved = True
        while moved:
            to_right, to_left = self.left.data_to_send(), self.right.data_to_send()
            moved = bool(to_right or to_left)
            told[1].extend(feed(self.right, to_right, now=now, chunk=self._chunk))
            told[0].extend(feed(self.left, to_left, now=now, chunk=self._chunk))
        return told
