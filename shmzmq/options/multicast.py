"""Options of the multicast transports, pgm and epgm."""

from ..constants import SocketOption
from .bounds import INT_MIN, NOT_NEGATIVE, POSITIVE, Range, Truth
from .spec import OptionSpec

_MULTICAST = ("pgm", "epgm")

ROWS = (
    OptionSpec(
        SocketOption.RATE,
        "How fast to send, or at most to receive.",
        100,
        POSITIVE,
        "multicast",
        unit="kilobits per second",
        transports=_MULTICAST,
    ),
    OptionSpec(
        SocketOption.RECOVERY_IVL,
        "How long a receiver may be away and still have what it missed repaired; the sender "
        "keeps RATE times this in memory.",
        10_000,
        NOT_NEGATIVE,
        "multicast",
        unit="milliseconds",
        transports=_MULTICAST,
    ),
    OptionSpec(
        SocketOption.MULTICAST_HOPS,
        "How many routers a packet may pass, plus one; 1: it stays in the local network.",
        1,
        Range(1, 255),
        "multicast",
        unit="network hops",
        transports=_MULTICAST,
    ),
    OptionSpec(
        SocketOption.MULTICAST_MAXTPDU,
        "The longest packet to send, at most the smallest MTU on the way.",
        1500,
        POSITIVE,
        "multicast",
        unit="bytes",
        transports=_MULTICAST,
    ),
    OptionSpec(
        SocketOption.MULTICAST_LOOP,
        "1: what is sent is also received on the same host.",
        1,
        Truth(INT_MIN),
        "multicast",
        transports=_MULTICAST,
    ),
)
