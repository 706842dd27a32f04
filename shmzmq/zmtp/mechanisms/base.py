"""The shape of a security mechanism: handshake commands in, commands and ZAP questions out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum, auto

from ..errors import ProtocolError, ProtocolReason
from ..events import AccessDenied, Ended, PeerError, ZapRequest
from ..record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import ClassVar

Output = bytes | ZapRequest
"""What a mechanism wants done: the body of a handshake command to send, or a question to ask."""


class Status(Enum):
    """How far a mechanism has come."""

    HANDSHAKING = auto()
    READY = auto()  # messages may flow
    FAILED = auto()  # `failure` tells why; what it has put out is still to be sent


class ZapReply(Record):
    """The ZAP handler's answer (RFC 27), taken apart by whoever asked it."""

    status: int
    """200 granted, 300 try later, 400 refused, 500 the handler failed."""
    text: str = ""
    user_id: bytes = b""
    metadata: Mapping[str, bytes] = {}


class Mechanism(ABC):
    """One side of one connection's security handshake, and what it does to the frames afterwards.

    An instance serves one connection. A mechanism with client and server roles is two classes, one
    for each role, with the same name. Each method that takes something in returns what is to be
    done about it, in order, and raises ProtocolError when the peer broke the mechanism's rules.
    """

    name: ClassVar[str]
    """As it stands in the greeting: at most 20 characters."""
    as_server: ClassVar[bool] = False
    """Whether our role is the server's; NULL has no roles."""
    is_clear_text: ClassVar[bool] = False
    """Whether encode and decode change nothing, so that others may cut the frames."""

    def __init__(self) -> None:
        self.peer_properties: dict[str, bytes] = {}
        """What the peer told of itself; complete when the status is READY."""
        self.zap_properties: dict[str, bytes] = {}
        """What the ZAP handler told of the peer, with its user id as "User-Id"."""
        self.failure: Ended | None = None
        """Why the status is FAILED."""

    @property
    @abstractmethod
    def status(self) -> Status:
        """How far the handshake has come."""

    @property
    def admits_old_peers(self) -> bool:
        """Whether a peer before ZMTP 3.0, with neither security nor ZAP, may connect."""
        return False

    @abstractmethod
    def start(self, properties: bytes) -> Sequence[Output]:
        """The greeting is done; *properties* is what to tell the peer of ourselves, encoded."""

    @abstractmethod
    def receive_command(self, body: bytes) -> Sequence[Output]:
        """The peer sent a handshake command; *body* is raw, as GSSAPI sends one without a name."""

    @abstractmethod
    def receive_zap_reply(self, reply: ZapReply) -> Sequence[Output]:
        """The ZAP handler answered the ZapRequest."""

    def encode(self, flags: int, body: bytes) -> tuple[int, bytes]:
        """Turn a frame (flags MORE, COMMAND) into the one that goes on the wire."""
        return flags, body

    def decode(self, flags: int, body: bytes) -> tuple[int, bytes]:
        """Turn a frame from the wire into what the peer meant, or raise ProtocolError."""
        return flags, body

    def _note_zap_reply(self, reply: ZapReply) -> None:
        """Keep what the ZAP handler said; refuse status codes that RFC 27 does not know."""
        if reply.status not in (200, 300, 400, 500):
            raise ProtocolError(
                f"the ZAP handler answered with status {reply.status}, not 200, 300, 400 or 500",
                ProtocolReason.ZAP_INVALID_STATUS_CODE,
            )
        self.zap_properties = {**reply.metadata, "User-Id": reply.user_id}
        if reply.status != 200:
            self.failure = AccessDenied(True, reply.status, reply.text)

    def _note_peer_error(self, text: str) -> None:
        """Keep why the peer refused us, unless we refused it first."""
        if self.failure is None:
            self.failure = PeerError(True, text)
