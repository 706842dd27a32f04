"""What a connection tells its user, in the order in which it happened.

The events derived from `Ended` are final: exactly one of them comes, and nothing after it.
"""

from __future__ import annotations

from .errors import ProtocolReason
from .record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Mapping


class Event(Record):
    """Any of the events below."""


class ZapRequest(Event):
    """The mechanism wants the ZAP handler asked (RFC 27); `Connection.receive_zap_reply` answers.

    The session knows the rest of the request: domain, address, and identity.
    """

    mechanism: str
    credentials: tuple[bytes, ...] = ()


class HandshakeDone(Event):
    """Both sides are ready: from here on messages may be sent.

    version is what both speak: (3, 1), (3, 0), (2, 0) or (1, 0). metadata holds what the peer said
    about itself, and what the ZAP handler said about the peer; a 1.0 peer says nothing of its
    socket type.
    """

    version: tuple[int, int]
    mechanism: str
    metadata: Mapping[str, bytes]

    @property
    def socket_type(self) -> str:
        """The peer's socket type, or an empty string where it did not tell."""
        return self.metadata.get("Socket-Type", b"").decode("ascii", "replace")

    @property
    def identity(self) -> bytes:
        """The routing id that the peer asks for; empty to be given one.

        It may begin with a zero octet: RFC 37 reserves those, libzmq lets them pass.
        """
        return self.metadata.get("Identity", b"")


class MessageFrame(Event):
    """One frame of a message; more follow when *more* is true.

    Subscriptions of peers before 3.1, and those that an XSUB application sends itself, arrive as
    such frames (0x01 topic, 0x00 topic), whatever the version: the XPUB pattern looks at them.
    """

    body: bytes
    more: bool


class Subscribe(Event):
    """The peer wants messages that begin with *topic* (a 3.1 command, or implied by a 1.0 peer)."""

    topic: bytes


class Cancel(Event):
    """The peer takes one subscription to *topic* back."""

    topic: bytes


class Ping(Event):
    """The peer asked for a sign of life; the answer is already among the bytes to send.

    ttl is how long we may go on without hearing from the peer again, in tenths of a second; 0 sets
    no limit.
    """

    ttl: int
    context: bytes


class Pong(Event):
    """The peer answered a PING."""

    context: bytes


class Command(Event):
    """A command without a meaning here; to be ignored by those who have none for it either."""

    name: str
    body: bytes


class Ended(Event):
    """The connection is over: send what `data_to_send` still returns, then close the stream."""

    handshaking: bool
    """Whether it ended before HandshakeDone."""


class ProtocolViolation(Ended):
    """The peer broke the protocol. libzmq does not connect again after this."""

    text: str
    reason: ProtocolReason
    code: int  # an errno value


class PeerError(Ended):
    """The peer refused us with ERROR: not to be tried again (RFC 37, "Error Handling")."""

    text: str

    @property
    def status(self) -> int:
        """The ZAP status code that the text stands for (300, 400, 500), or 0."""
        return int(self.text) if self.text in ("300", "400", "500") else 0


class AccessDenied(Ended):
    """The ZAP handler refused the peer."""

    status: int  # 300, 400 or 500 (RFC 27)
    text: str


class TimedOut(Ended):
    """The peer was silent for too long."""

    limit: str
    """ "handshake" (HANDSHAKE_IVL), "heartbeat" (HEARTBEAT_TIMEOUT after our PING), or "ttl" (the
    limit that the peer gave in its own PING)."""


class ConnectionLost(Ended):
    """The stream ended. *truncated* tells that a greeting or frame was cut off."""

    truncated: bool
