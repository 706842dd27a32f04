"""The state machines of a connection: one table each, (state, signal) -> next state.

Two rules. A machine is in exactly one state, and no flag elsewhere repeats what the state says.
What does not stand in a table is illegal: from the peer it ends the connection, from our own caller
it raises.

              ┌─ V3_PEER ──► HANDSHAKE ─ SECURED ───┐
    GREETING ─┤                                     ├─► TRAFFIC ─ TAKE_OVER ─► TAKEN_OVER
              └─ OLD_PEER ─► IDENTITY ─ IDENTIFIED ─┘         any phase ─ END ─► CLOSED
"""

from enum import Enum, auto


class Phase(Enum):
    """How far a connection has come."""

    GREETING = auto()  # finding out which version the peer speaks
    HANDSHAKE = auto()  # ZMTP 3: the mechanism's commands go back and forth
    IDENTITY = auto()  # ZMTP 1.0 and 2.0: the peer's first frame is its identity
    TRAFFIC = auto()  # messages and commands
    TAKEN_OVER = auto()  # as TRAFFIC, but somebody else cuts the stream into frames
    CLOSED = auto()  # nothing is read or sent any more


class Turn(Enum):
    """What moves a connection on."""

    V3_PEER = auto()
    OLD_PEER = auto()
    SECURED = auto()
    IDENTIFIED = auto()
    TAKE_OVER = auto()
    END = auto()


CONNECTION: dict[tuple[Phase, Turn], Phase] = {
    (Phase.GREETING, Turn.V3_PEER): Phase.HANDSHAKE,
    (Phase.GREETING, Turn.OLD_PEER): Phase.IDENTITY,
    (Phase.HANDSHAKE, Turn.SECURED): Phase.TRAFFIC,
    (Phase.IDENTITY, Turn.IDENTIFIED): Phase.TRAFFIC,
    (Phase.TRAFFIC, Turn.TAKE_OVER): Phase.TAKEN_OVER,
    **{(phase, Turn.END): Phase.CLOSED for phase in Phase if phase is not Phase.CLOSED},
}

HANDSHAKING = frozenset({Phase.GREETING, Phase.HANDSHAKE, Phase.IDENTITY})
"""A connection that ends in one of these never carried a message; HANDSHAKE_IVL limits them."""

CARRYING = frozenset({Phase.TRAFFIC, Phase.TAKEN_OVER})
"""Messages and commands may be sent, and heartbeats run."""


class Greeting(Enum):
    """How much of a greeting has been recognised (RFC 37, "Backwards Interoperability")."""

    SIGNATURE = auto()  # 10 octets, or the start of a ZMTP 1.0 identity frame
    REVISION = auto()  # the 11th octet
    OLD_REST = auto()  # the socket type of a 2.0 peer
    V3_REST = auto()  # the other 53 octets of 64
    DONE = auto()


class Recognised(Enum):
    """What the octets that have arrived so far tell about the peer."""

    UNVERSIONED = auto()  # no signature: ZMTP 1.0
    VERSIONED = auto()  # a signature: 2.0 or later
    OLD = auto()  # revision 0 or 1
    V3 = auto()  # any later revision: a newer peer has to speak our version
    WHOLE = auto()  # nothing of the greeting is missing


GREETING = {
    (Greeting.SIGNATURE, Recognised.UNVERSIONED): Greeting.DONE,
    (Greeting.SIGNATURE, Recognised.VERSIONED): Greeting.REVISION,
    (Greeting.REVISION, Recognised.OLD): Greeting.OLD_REST,
    (Greeting.REVISION, Recognised.V3): Greeting.V3_REST,
    (Greeting.OLD_REST, Recognised.WHOLE): Greeting.DONE,
    (Greeting.V3_REST, Recognised.WHOLE): Greeting.DONE,
}


class Null(Enum):
    """The NULL mechanism: both sides send READY, in any order; ours may have to wait for ZAP."""

    START = auto()
    ASKING = auto()  # the ZAP handler has been asked, the peer has sent nothing
    ASKING_PEER_READY = auto()  # the ZAP handler has been asked, the peer's READY is here
    READY_SENT = auto()
    ERROR_SENT = auto()  # refused; closing with the peer's READY unread could destroy our ERROR
    READY = auto()
    FAILED = auto()


class NullSignal(Enum):
    """What moves the NULL mechanism on."""

    OPEN = auto()  # nobody has to be asked
    ASK = auto()  # the ZAP handler has to be asked
    GRANTED = auto()  # ZAP status 200
    REFUSED = auto()  # ZAP status 400 or 500
    POSTPONED = auto()  # ZAP status 300: the peer is dropped without a word (RFC 27)
    PEER_READY = auto()
    PEER_ERROR = auto()


NULL = {
    (Null.START, NullSignal.OPEN): Null.READY_SENT,
    (Null.START, NullSignal.ASK): Null.ASKING,
    (Null.ASKING, NullSignal.PEER_READY): Null.ASKING_PEER_READY,
    (Null.ASKING, NullSignal.PEER_ERROR): Null.FAILED,
    (Null.ASKING, NullSignal.GRANTED): Null.READY_SENT,
    (Null.ASKING, NullSignal.REFUSED): Null.ERROR_SENT,
    (Null.ASKING, NullSignal.POSTPONED): Null.FAILED,
    (Null.ASKING_PEER_READY, NullSignal.GRANTED): Null.READY,
    (Null.ASKING_PEER_READY, NullSignal.REFUSED): Null.FAILED,
    (Null.ASKING_PEER_READY, NullSignal.POSTPONED): Null.FAILED,
    (Null.READY_SENT, NullSignal.PEER_READY): Null.READY,
    (Null.READY_SENT, NullSignal.PEER_ERROR): Null.FAILED,
    (Null.ERROR_SENT, NullSignal.PEER_READY): Null.FAILED,
    (Null.ERROR_SENT, NullSignal.PEER_ERROR): Null.FAILED,
}
