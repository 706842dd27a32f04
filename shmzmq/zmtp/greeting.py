"""The greeting, and which version of ZMTP a peer turns out to speak.

As libzmq does it, octets are sent only when the peer has shown that it will understand them
(RFC 37, "Detecting ZMTP 1.0 and 2.0 Peers"):

    we send                                  when the peer has sent
    ff, identity size + 1 (8 octets), 7f     nothing; a 1.0 peer takes it for a frame's header
    03                                       a signature: ff, any 8 octets, an octet with bit 0 set
    01, mechanism, as-server, 31 zeros       a revision of 2 or more
    socket type                              revision 0 or 1
    identity as a frame                      revision 0 or 1, and its socket type
    identity without a header                anything else: a 1.0 peer's identity frame
"""

from __future__ import annotations

from . import metadata
from .errors import ProtocolError, ProtocolReason
from .frames import V1, V2, Framing
from .record import Record
from .states import GREETING, Greeting, Recognised

SIGNATURE_SIZE = 10
OLD_SIZE = 12
V3_SIZE = 64
_MECHANISM = slice(12, 32)
_AS_SERVER = 32


class LocalGreeting(Record):
    """What we say in a greeting."""

    mechanism: str
    socket_type: str
    identity: bytes = b""
    as_server: bool = False
    """A mechanism with roles tells its role (RFC 37); libzmq always says 0 and never looks."""
    admits_old_peers: bool = True
    """Whether a peer before 3.0 is welcome, though it can be neither secured nor authenticated."""


class PeerGreeting(Record):
    """What the peer's greeting came to."""

    version: tuple[int, int]
    """(1, 0), (2, 0), (3, 0) or (3, 1): what we both speak from here on."""
    framing: Framing
    socket_type: bytes | None = None
    """Told by a peer that gives a revision of 0 or 1."""
    as_server: bool = False


class GreetingExchange:
    """Recognises the peer by what it sends and says what to send back.

    It takes octets out of the buffer only when the greeting is whole, and none at all from a 1.0
    peer, whose first octets are a frame already.
    """

    def __init__(self, local: LocalGreeting) -> None:
        self._local = local
        self._state = Greeting.SIGNATURE
        self._peer: PeerGreeting | None = None

    @property
    def peer(self) -> PeerGreeting | None:
        """What the peer's greeting came to, once it is whole."""
        return self._peer

    def open(self, to_send: list[bytes]) -> None:
        """Append to *to_send* what is sent before anything has come."""
        to_send.append(b"\xff" + (len(self._local.identity) + 1).to_bytes(8) + b"\x7f")

    def receive(self, received: bytearray, to_send: list[bytes]) -> None:
        """Look at all that has come so far, and append to *to_send* what is sent now.

        Raises ProtocolError for a peer of a version that is not admitted, another mechanism, or a
        socket type that does not fit. Our own greeting is among the octets to send even then: the
        peer has to see it to know what went wrong (RFC 37, "Authentication and Confidentiality").
        """
        while (signal := self._recognise(received)) is not None:
            to_send.append(self._answer(signal, received))
            self._state = GREETING[self._state, signal]

    def _recognise(self, received: bytearray) -> Recognised | None:
        """Return what the octets tell beyond what is known, or None when more must come first."""
        size = len(received)
        if self._state is Greeting.SIGNATURE and size:
            if received[0] != 0xFF:
                return Recognised.UNVERSIONED
            if size >= SIGNATURE_SIZE:
                return Recognised.VERSIONED if received[9] & 1 else Recognised.UNVERSIONED
        elif self._state is Greeting.REVISION and size > SIGNATURE_SIZE:
            # RFC 37 counts revision 2 as 2.0, too. No such peer was released; libzmq answers 3.1.
            return Recognised.OLD if received[10] < 2 else Recognised.V3
        elif (self._state is Greeting.OLD_REST and size >= OLD_SIZE) or (
            self._state is Greeting.V3_REST and size >= V3_SIZE
        ):
            return Recognised.WHOLE
        return None

    def _answer(self, signal: Recognised, received: bytearray) -> bytes:
        """Return what is sent upon *signal*; note what the peer is when its greeting is whole."""
        local = self._local
        if signal is Recognised.VERSIONED:
            return b"\x03"
        if signal is Recognised.V3:
            mechanism = local.mechanism.encode("ascii").ljust(20, b"\0")
            return b"\x01" + mechanism + bytes((local.as_server,)) + bytes(31)
        if signal is Recognised.WHOLE:
            is_v3 = self._state is Greeting.V3_REST
            return self._finish_v3(received) if is_v3 else self._finish_old(received)
        if not local.admits_old_peers:
            raise ProtocolError(
                f"the peer speaks ZMTP 2.0 or older, without {local.mechanism} and without ZAP",
                ProtocolReason.ZMTP_MECHANISM_MISMATCH,
            )
        if signal is Recognised.OLD:
            return bytes((metadata.type_octet(local.socket_type),))
        self._peer = PeerGreeting((1, 0), V1)
        return local.identity

    def _finish_old(self, received: bytearray) -> bytes:
        """Take a greeting of 12 octets away; return our identity as a frame."""
        # Revision 0, from between 1.0 and 2.0: this greeting, then the frames of 1.0.
        version, framing = ((1, 0), V1) if received[10] == 0 else ((2, 0), V2)
        socket_type = metadata.type_of_octet(received[11])
        metadata.check_peer(self._local.socket_type, {metadata.SOCKET_TYPE: socket_type})
        self._peer = PeerGreeting(version, framing, socket_type)
        del received[:OLD_SIZE]
        return framing.header(len(self._local.identity)) + self._local.identity

    def _finish_v3(self, received: bytearray) -> bytes:
        """Take a greeting of 64 octets away."""
        theirs, ours = bytes(received[_MECHANISM]), self._local.mechanism
        if theirs != ours.encode("ascii").ljust(20, b"\0"):
            raise ProtocolError(
                f"the peer wants the mechanism {theirs.rstrip(bytes(1))!r}, we want {ours}",
                ProtocolReason.ZMTP_MECHANISM_MISMATCH,
            )
        version = (3, 0) if (received[10], received[11]) == (3, 0) else (3, 1)
        self._peer = PeerGreeting(version, V2, as_server=received[_AS_SERVER] == 1)
        del received[:V3_SIZE]
        return b""
