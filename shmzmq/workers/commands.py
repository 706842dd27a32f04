"""Everything that an application and its I/O worker say to each other. Messages are not among it.

They speak over one local SEQPACKET stream, a packet a command, which also carries file descriptors.
Both run the same interpreter and one started the other, so a packet is a marshalled tuple: the
number of the command and its fields. A socket, an endpoint and a pipe are named by keys that the
application gives (a pipe's token is random, since it is known to both ends' workers).

Commands go from the application to the worker, events from the worker to the application. "+fd":
one descriptor comes with it, the doorbell of the board that is named there unless it says else.
"""

from __future__ import annotations

import marshal
from typing import Any, Final, NamedTuple

MAX_PACKET: Final = 160 * 1024
"""The largest packet in bytes; the kernel's default send buffer takes this much."""


CONFLATES: Final = "X-Shmzmq-Conflate"
"""A property of the peer, where it shares memory: of what it sends only the last is to be kept."""


class PeerEnd(NamedTuple):
    """One end of a pipe as its far end must know it."""

    board: str  # name of the board segment
    bit: int  # the pipe's bit there
    send_hwm: int  # SNDHWM and RCVHWM of the socket; -1: the other end's counts alone
    receive_hwm: int
    pid: int  # its process, an application or a worker, and that one's start tick
    start: int

    @property
    def is_worker(self) -> bool:
        """Whether that end is a worker's, which relays: its marks add nothing."""
        return self.send_hwm < 0


# -- commands: application to worker ---------------------------------------------------------------


class Serve(NamedTuple):
    """A context begins to use this worker; its application is *pid*. First of all commands."""

    directory: str
    worker_key: int
    pid: int
    start: int
    name: str  # what the process is to be called
    block_pool_size: int  # bytes of shared memory for the blocks of one process, 0: no blocks


class Release(NamedTuple):
    """The context has ended: drop everything and answer Idle."""


class AddSocket(NamedTuple):
    """A socket will bind or connect here. +fd"""

    socket: int
    board: str


class RemoveSocket(NamedTuple):
    """The socket is closed; endpoints of it that linger still use its board."""

    socket: int


class Monitor(NamedTuple):
    """Tell from now on (MonitorEvent) what happens to the socket's connections, if in *events*."""

    socket: int
    events: int  # Event numbers, 0: none


class Bind(NamedTuple):
    """Listen; answered by Bound, for which the application waits. +fd: USE_FD's, if that is set.

    With an *address* of None nobody is accepted any more: it is about pipes that are there (Keep).
    """

    endpoint: int
    socket: int
    scheme: str
    address: str | None
    options: dict[str, Any]
    socket_type: str


class Unbind(NamedTuple):
    """Stop listening; accepted connections stay.

    Answered by Unbound, for which the application waits.
    """

    endpoint: int


class Connect(NamedTuple):
    """Dial until it works, and again after a loss; the pipe is in *segment*.

    After a loss of a connection that we relayed, Attached comes again if it *resumes*, else Lost.
    Without a *segment* the pipe has its far end already (Keep).
    """

    endpoint: int
    socket: int
    scheme: str
    address: str
    options: dict[str, Any]
    socket_type: str
    token: bytes
    segment: str
    bit: int
    resumes: bool  # what is in the pipe may go on over another connection, as if nothing had been


class Keep(NamedTuple):
    """To a worker that replaces another: a pipe of this endpoint whose far end lives, *peer*.

    The link to the worker there is to be taken up again; whoever connected dials. It comes before
    the endpoint's Bind or Connect.
    """

    endpoint: int
    token: bytes
    segment: str
    bit: int  # ours
    peer: PeerEnd


class Offer(NamedTuple):
    """After Lost: a fresh pipe for the next far end."""

    endpoint: int
    token: bytes
    segment: str


class Disconnect(NamedTuple):
    """End the connection, if there is one, and do not dial again."""

    endpoint: int


class Linger(NamedTuple):
    """The socket is closed, or has given this endpoint up: nothing more is said here.

    Bring what was said on its way within *timeout_ms* (-1: whenever). A pipe without a far end is
    handed over to one, if anything in it is *unread*; what we relay is written to the network. A
    bound endpoint listens no more. Answered by Settled.
    """

    endpoint: int
    timeout_ms: int
    unread: bool


class SetMarks(NamedTuple):
    """SNDHWM or RCVHWM was set anew: pipes that we relay go by them from now on, and later ones."""

    endpoint: int
    send_hwm: int
    receive_hwm: int


class Hangup(NamedTuple):
    """End the connection behind this pipe; a connecting endpoint answers Lost and dials again."""

    token: bytes


# -- events: worker to application -----------------------------------------------------------------


class Bound(NamedTuple):
    """Answer to Bind: the real *address*, or *errno* and what was wrong."""

    endpoint: int
    errno: int
    text: str
    address: str


class Unbound(NamedTuple):
    """Answer to Unbind."""

    endpoint: int


class Arrived(NamedTuple):
    """Somebody connected to a listening endpoint: take up this end of the pipe. +fd"""

    socket: int
    endpoint: int
    token: bytes
    segment: str
    bit: int
    peer: PeerEnd
    metadata: dict[str, bytes]


class Attached(NamedTuple):
    """The pipe of a connecting endpoint has a far end. +fd"""

    socket: int
    endpoint: int
    peer: PeerEnd
    metadata: dict[str, bytes]


class Lost(NamedTuple):
    """The far end of this pipe is gone; *reason* says how that was noticed."""

    socket: int
    endpoint: int
    token: bytes
    reason: str


class Refused(NamedTuple):
    """A connection did not come about. For the report."""

    socket: int
    endpoint: int
    reason: str


class GivenUp(NamedTuple):
    """Whoever is at the far end of a Connect cannot be spoken with, and it is dialled no more."""

    socket: int
    endpoint: int
    reason: str


class Settled(NamedTuple):
    """A lingering endpoint is done with: *delivered*, or its time was up; answer to Linger."""

    endpoint: int
    delivered: bool


class MonitorEvent(NamedTuple):
    """Something that the monitor of the socket *monitored* is to say.

    It is for the monitor and not for the socket, which is not woken by it.
    """

    monitored: int
    event: int  # an Event number
    value: int  # a descriptor of ours, an errno, or what the event says else
    address: str  # the endpoint, as the monitor names it


class Idle(NamedTuple):
    """Answer to Release: the worker is free for another context."""


class Failed(NamedTuple):
    """The worker ends because of a bug in it; *text* is the traceback."""

    text: str


_ALL: Final = (
    PeerEnd, Serve, Release, AddSocket, RemoveSocket, Monitor, Bind, Unbind, Connect, Keep,
    Offer, Disconnect, Linger, SetMarks, Hangup, Bound, Unbound, Arrived, Attached, Lost, Refused,
    GivenUp, Settled, MonitorEvent, Idle, Failed,
)  # fmt: skip
_NUMBERS: Final = {kind: number for number, kind in enumerate(_ALL)}

Packet = (
    Serve | Release | AddSocket | RemoveSocket | Monitor | Bind | Unbind | Connect | Keep
    | Offer | Disconnect | Linger | SetMarks | Hangup | Bound | Unbound | Arrived | Attached | Lost
    | Refused | GivenUp | Settled | MonitorEvent | Idle | Failed
)  # fmt: skip


def encode(packet: Packet) -> bytes:
    """Return the packet for a command or event.

    Raises ValueError when it is too large to be sent.
    """
    fields: list[Any] = [tuple(field) if isinstance(field, PeerEnd) else field for field in packet]
    data = marshal.dumps((_NUMBERS[type(packet)], *fields))
    if len(data) > MAX_PACKET:
        raise ValueError(f"a {type(packet).__name__} of {len(data)} bytes exceeds {MAX_PACKET}")
    return data


def decode(data: bytes) -> Packet:
    """Return the command or event in a packet."""
    number, *fields = marshal.loads(data)
    packet: Any = _ALL[number](*fields)
    if isinstance(packet, Keep | Arrived | Attached):
        packet = packet._replace(peer=PeerEnd(*packet.peer))
    result: Packet = packet
    return result
