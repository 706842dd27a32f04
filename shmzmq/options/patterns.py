"""Options of single socket types: what a pattern does with its peers, replies and subscriptions."""

from ..constants import SocketOption, SocketType
from .bounds import INT_MIN, LENIENT_SWITCH, MESSAGE, SWITCH, Length, Range, Truth
from .spec import ALL_SOCKETS, Held, OptionSpec, OptionValue

_PUB = frozenset({SocketType.PUB})
_XPUB = frozenset({SocketType.XPUB})
_XSUB = frozenset({SocketType.XSUB})
_REQ = frozenset({SocketType.REQ})
# In libzmq a REP is made from a ROUTER and a PUB from an XPUB, so they take each other's options.
_REP = frozenset({SocketType.REP})
_ROUTER = frozenset({SocketType.ROUTER})


def _end_verboser(_: OptionValue | None) -> dict[int, Held]:
    """XPUB_VERBOSE speaks of subscriptions only, so it ends what XPUB_VERBOSER said of the rest."""
    return {SocketOption.XPUB_VERBOSER: 0}


def _set_verbose(value: OptionValue | None) -> dict[int, Held]:
    return {SocketOption.XPUB_VERBOSE: value}


def _set_manual(value: OptionValue | None) -> dict[int, Held]:
    return {SocketOption.XPUB_MANUAL: value}


SUBSCRIPTIONS = (
    OptionSpec(
        SocketOption.SUBSCRIBE,
        "Take messages that begin with these bytes, too; empty: all. On an XPUB in manual mode, "
        "grant it to the peer whose request was received last.",
        None,
        MESSAGE,
        "patterns",
        sockets=frozenset({SocketType.SUB, SocketType.XPUB}),
        access="w",
        takes_effect="at once",
        keeps="nothing",
        since="0.1",
        needs={SocketType.XPUB: SocketOption.XPUB_MANUAL},
    ),
    OptionSpec(
        SocketOption.UNSUBSCRIBE,
        "Take back one SUBSCRIBE of the same bytes.",
        None,
        MESSAGE,
        "patterns",
        sockets=frozenset({SocketType.SUB, SocketType.XPUB}),
        access="w",
        takes_effect="at once",
        keeps="nothing",
        since="0.1",
        needs={SocketType.XPUB: SocketOption.XPUB_MANUAL},
    ),
    OptionSpec(
        SocketOption.INVERT_MATCHING,
        "1: messages go to those whose subscriptions do not match them; to be set alike on the "
        "PUB and on its SUBs.",
        0,
        Truth(INT_MIN),
        "patterns",
        sockets=frozenset({SocketType.PUB, SocketType.XPUB, SocketType.SUB}),
        ignored_by=ALL_SOCKETS,
        takes_effect="at once",
        since="0.2",
    ),
    OptionSpec(
        SocketOption.ONLY_FIRST_SUBSCRIBE,
        "1: of a message of several parts only the first can be a subscription.",
        0,
        LENIENT_SWITCH,
        "patterns",
        sockets=_XPUB | _XSUB,
        ignored_by=_PUB,
        access="w",
        takes_effect="at once",
        since="0.2",
    ),
    OptionSpec(
        SocketOption.XSUB_VERBOSE_UNSUBSCRIBE,
        "1: pass every unsubscription upstream, not only the last one of a topic.",
        0,
        LENIENT_SWITCH,
        "patterns",
        sockets=_XSUB,
        access="w",
        takes_effect="at once",
        since="0.2",
    ),
    OptionSpec(
        SocketOption.TOPICS_COUNT,
        "How many different topics are subscribed to.",
        0,
        None,
        "patterns",
        unit="topics",
        sockets=_PUB | _XPUB | _XSUB | {SocketType.SUB},
        access="r",
        takes_effect="at once",
        keeps="live",
        since="0.2",
    ),
)

PUBLISHERS = (
    OptionSpec(
        SocketOption.XPUB_VERBOSE,
        "1: receive every subscription; 0: only the first one of a topic.",
        0,
        LENIENT_SWITCH,
        "patterns",
        sockets=_XPUB,
        ignored_by=_PUB,
        access="w",
        takes_effect="at once",
        implies=_end_verboser,
        since="0.2",
    ),
    OptionSpec(
        SocketOption.XPUB_VERBOSER,
        "1: receive every subscription and every unsubscription; 0: only the first and the last "
        "one of a topic.",
        0,
        LENIENT_SWITCH,
        "patterns",
        sockets=_XPUB,
        ignored_by=_PUB,
        access="w",
        takes_effect="at once",
        implies=_set_verbose,
        since="0.2",
    ),
    OptionSpec(
        SocketOption.XPUB_VERBOSE_UNSUBSCRIBE,
        "1, and XPUB_VERBOSE 1 as well: receive every unsubscription; 0: only the last one of a "
        "topic.",
        0,
        LENIENT_SWITCH,
        "patterns",
        sockets=_XPUB,
        access="w",
        takes_effect="at once",
        since="0.2",
    ),
    OptionSpec(
        SocketOption.XPUB_MANUAL,
        "1: a peer's subscription counts only once SUBSCRIBE grants it.",
        0,
        LENIENT_SWITCH,
        "patterns",
        sockets=_XPUB,
        ignored_by=_PUB,
        access="w",
        takes_effect="at once",
        since="0.2",
    ),
    OptionSpec(
        SocketOption.XPUB_MANUAL_LAST_VALUE,
        "1: as XPUB_MANUAL, and the next message goes only to the peer whose request was "
        "received last.",
        0,
        LENIENT_SWITCH,
        "patterns",
        sockets=_XPUB,
        ignored_by=_PUB,
        access="w",
        takes_effect="at once",
        implies=_set_manual,
        since="0.2",
    ),
    OptionSpec(
        SocketOption.XPUB_NODROP,
        "1: when a peer's queue is full, send waits or raises Again; 0: that peer misses the "
        "message.",
        0,
        LENIENT_SWITCH,
        "patterns",
        sockets=_XPUB | _PUB,
        access="w",
        takes_effect="at once",
        since="0.2",
    ),
    OptionSpec(
        SocketOption.XPUB_WELCOME_MSG,
        "A message for every peer that connects and has subscribed to it; empty: none.",
        b"",
        MESSAGE,
        "patterns",
        sockets=_XPUB,
        ignored_by=_PUB,
        access="w",
        takes_effect="at once",
        nullable=True,
        since="0.2",
    ),
)

ROUTING = (
    OptionSpec(
        SocketOption.ROUTER_MANDATORY,
        "1: a message to an unknown peer raises EHOSTUNREACH, and send waits for one that is "
        "full; 0: both drop the message.",
        0,
        LENIENT_SWITCH,
        "patterns",
        sockets=_ROUTER,
        ignored_by=_REP,
        access="w",
        takes_effect="at once",
        since="0.2",
    ),
    OptionSpec(
        SocketOption.ROUTER_HANDOVER,
        "When a second peer comes with a routing id in use, 1: it takes the place of the first, "
        "0: it is turned away.",
        0,
        LENIENT_SWITCH,
        "patterns",
        sockets=_ROUTER,
        ignored_by=_REP,
        access="w",
        takes_effect="at once",
        since="0.2",
    ),
    OptionSpec(
        SocketOption.ROUTER_RAW,
        "1: plain bytes of TCP instead of ZMTP (STREAM does it better). To be set before the first "
        "bind or connect.",
        0,
        LENIENT_SWITCH,
        "patterns",
        sockets=_ROUTER,
        ignored_by=_REP,
        transports=("tcp",),
        access="w",
        since="0.2",
    ),
    OptionSpec(
        SocketOption.ROUTER_NOTIFY,
        "A message with a peer's routing id and an empty part, a sum: 1 when it comes, 2 when it "
        "goes.",
        0,
        Range(0, 3),
        "patterns",
        unit="bitmap",
        sockets=_ROUTER,
        takes_effect="at once",
        since="0.2",
    ),
    OptionSpec(
        SocketOption.PROBE_ROUTER,
        "1: send an empty message on every new connection, so that a ROUTER learns of this peer.",
        0,
        LENIENT_SWITCH,
        "patterns",
        sockets=_ROUTER | _REQ | {SocketType.DEALER},
        ignored_by=_REP,
        access="w",
        takes_effect="at once",
        since="0.2",
    ),
    OptionSpec(
        SocketOption.CONNECT_ROUTING_ID,
        "The name for the peer of the next connect, and of that one only; it can be sent to at "
        "once.",
        b"",
        Length(1, 255, first_not_zero=True),
        "patterns",
        sockets=_ROUTER | {SocketType.STREAM},
        ignored_by=_REP,
        access="w",
        takes_effect="next connect",
        keeps="once",
        since="0.2",
    ),
    OptionSpec(
        SocketOption.REQ_CORRELATE,
        "1: send a request id ahead of each request and take only replies that carry it.",
        0,
        LENIENT_SWITCH,
        "patterns",
        sockets=_REQ,
        access="w",
        takes_effect="at once",
        since="0.2",
    ),
    OptionSpec(
        SocketOption.REQ_RELAXED,
        "1: a new request may be sent before the reply to the last one came, and gives that up.",
        0,
        LENIENT_SWITCH,
        "patterns",
        sockets=_REQ,
        access="w",
        takes_effect="at once",
        since="0.2",
    ),
    OptionSpec(
        SocketOption.STREAM_NOTIFY,
        "1: an empty message tells of each peer that connects or disconnects.",
        1,
        SWITCH,
        "patterns",
        sockets=frozenset({SocketType.STREAM}),
        transports=("tcp",),
        access="w",
        since="0.2",
    ),
)

ROWS = (*SUBSCRIPTIONS, *PUBLISHERS, *ROUTING)
