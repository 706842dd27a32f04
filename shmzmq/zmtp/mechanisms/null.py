"""The NULL mechanism: each side sends READY with its metadata.

Source: RFC 37, "The NULL Security Mechanism". It lets the connecting peer speak first. libzmq sends
READY on both sides at once, and so do we; either order works. A session whose socket has a ZAP
domain asks the ZAP handler first, also with NULL.
"""

from __future__ import annotations

from .. import commands, metadata
from ..errors import LocalError, ProtocolError, ProtocolReason
from ..events import ZapRequest
from ..record import TYPE_CHECKING
from ..states import NULL, Null, NullSignal
from .base import Mechanism, Output, Status, ZapReply

if TYPE_CHECKING:
    from collections.abc import Sequence


class NullMechanism(Mechanism):
    """NULL, for either side.  With *ask_zap*, our READY waits until the ZAP handler agrees."""

    name = "NULL"
    is_clear_text = True

    def __init__(self, *, ask_zap: bool = False) -> None:
        super().__init__()
        self._ask_zap = ask_zap
        self._state = Null.START
        self._properties = b""

    @property
    def status(self) -> Status:
        """How far the handshake has come."""
        return {Null.READY: Status.READY, Null.FAILED: Status.FAILED}.get(
            self._state, Status.HANDSHAKING
        )

    @property
    def admits_old_peers(self) -> bool:
        """Old peers may connect unless ZAP has to see everyone, as in libzmq."""
        return not self._ask_zap

    def start(self, properties: bytes) -> Sequence[Output]:
        """Send READY with *properties*, or ask the ZAP handler first."""
        self._properties = properties
        if self._ask_zap:
            self._advance(NullSignal.ASK)
            return (ZapRequest(self.name),)
        self._advance(NullSignal.OPEN)
        return (commands.ready(properties),)

    def receive_command(self, body: bytes) -> Sequence[Output]:
        """Take the peer's READY or ERROR."""
        name, data = commands.decode(body)
        if name == "READY":
            self._advance(NullSignal.PEER_READY)
            self.peer_properties = metadata.decode(data)
        elif name == "ERROR":
            text = commands.error_text(data)
            self._advance(NullSignal.PEER_ERROR)
            self._note_peer_error(text)
        else:
            raise self._unexpected(name)
        return ()

    def receive_zap_reply(self, reply: ZapReply) -> Sequence[Output]:
        """Let the peer in, or refuse it: 400 and 500 send ERROR, 300 says nothing (RFC 27)."""
        if (self._state, NullSignal.GRANTED) not in NULL:
            raise LocalError(f"no ZAP reply is expected in state {self._state.name}")
        self._note_zap_reply(reply)
        if reply.status == 200:
            self._advance(NullSignal.GRANTED)
            return (commands.ready(self._properties),)
        if reply.status == 300:
            self._advance(NullSignal.POSTPONED)
            return ()
        self._advance(NullSignal.REFUSED)
        return (commands.error(str(reply.status)),)

    def _advance(self, signal: NullSignal) -> None:
        state = NULL.get((self._state, signal))
        if state is None:
            raise self._unexpected(signal.name)
        self._state = state

    def _unexpected(self, what: str) -> ProtocolError:
        return ProtocolError(
            f"{what} makes no sense in a NULL handshake in state {self._state.name}",
            ProtocolReason.ZMTP_UNEXPECTED_COMMAND,
        )
