"""What the peers tell of themselves: properties, socket types, and which of those go together.

A property is a name (1 octet of size, then 1 to 255 octets) and a value (4 octets of size, then the
value); RFC 37, "The NULL Security Mechanism" and "Connection Metadata". PLAIN, CURVE and GSSAPI use
the same form.
"""

from __future__ import annotations

from .errors import ProtocolError, ProtocolReason
from .record import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VALUE_MAX = 2**31 - 1
IDENTITY_MAX = 255
SOCKET_TYPE = "Socket-Type"
IDENTITY = "Identity"
RESOURCE = "Resource"

# A name's case has no meaning; those that RFC 37 defines are handed on as it spells them.
_DEFINED = {name.lower(): name for name in (SOCKET_TYPE, IDENTITY, RESOURCE)}

# What this side finds out about a peer by itself is not for the peer to say.
_OURS = frozenset({"user-id", "peer-address"})

_REQUESTS = frozenset({"REQ", "DEALER"})
_PUBLISHERS = frozenset({"PUB", "XPUB"})
_SUBSCRIBERS = frozenset({"SUB", "XSUB"})

COMPATIBLE: Mapping[str, frozenset[str]] = {
    "PAIR": frozenset({"PAIR"}),
    "PUB": _SUBSCRIBERS,
    "SUB": _PUBLISHERS,
    "REQ": frozenset({"REP", "ROUTER"}),
    "REP": _REQUESTS,
    "DEALER": frozenset({"REP", "DEALER", "ROUTER"}),
    "ROUTER": frozenset({"REQ", "DEALER", "ROUTER"}),
    "PULL": frozenset({"PUSH"}),
    "PUSH": frozenset({"PULL"}),
    "XPUB": _SUBSCRIBERS,
    "XSUB": _PUBLISHERS,
}
"""For each socket type, those it may meet (RFC 37, "The Socket-Type Property")."""

_NAMED = frozenset({"REQ", "DEALER", "ROUTER"})  # those that tell a peer their identity

_OCTETS = ("PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB")


def encode(properties: Iterable[tuple[str, bytes]]) -> bytes:
    """Return *properties* as they stand in READY.  Raises ValueError for one that does not fit."""
    parts: list[bytes] = []
    for name, value in properties:
        octets = name.encode("utf-8", "surrogateescape")
        if not 0 < len(octets) <= 255:
            raise ValueError(f"a property's name has 1 to 255 bytes, not {len(octets)}: {name!r}")
        if len(value) > VALUE_MAX:
            raise ValueError(f"the value of property {name!r} has more than {VALUE_MAX} bytes")
        parts += (bytes((len(octets),)), octets, len(value).to_bytes(4), value)
    return b"".join(parts)


def decode(data: bytes) -> dict[str, bytes]:
    """Return the properties in *data*; of several with one name, in any case, the first counts.

    Raises ProtocolError (INVALID_METADATA) for anything cut off, an empty name, or an identity over
    255 bytes.
    """
    properties: dict[str, bytes] = {}
    seen = set()
    at = 0
    while at < len(data):
        value_at = at + 1 + data[at] + 4
        size = int.from_bytes(data[value_at - 4 : value_at])
        if data[at] == 0 or value_at > len(data) or size > len(data) - value_at:
            raise _invalid(f"the property at byte {at} of {len(data)} has no name or is cut off")
        name = data[at + 1 : value_at - 4].decode("utf-8", "surrogateescape")
        at = value_at + size
        folded = name.lower()
        if folded not in seen:
            seen.add(folded)
            properties[_DEFINED.get(folded, name)] = data[value_at:at]
    if len(properties.get(IDENTITY, b"")) > IDENTITY_MAX:
        raise _invalid(f"the identity has more than {IDENTITY_MAX} bytes")
    return properties


def local_properties(socket_type: str, identity: bytes, extra: Mapping[str, bytes]) -> bytes:
    """Return what we tell a peer, encoded: an identity only where libzmq tells one."""
    own = [(SOCKET_TYPE, socket_type.encode("ascii"))]
    if socket_type in _NAMED:
        own.append((IDENTITY, identity))
    return encode((*own, *extra.items()))


def check_local(socket_type: str, identity: bytes, extra: Mapping[str, bytes]) -> None:
    """Raise ValueError when we could not tell a peer this about ourselves."""
    if socket_type not in COMPATIBLE:
        raise ValueError(f"{socket_type!r} is not a socket type that speaks ZMTP")
    if len(identity) > IDENTITY_MAX:
        raise ValueError(f"an identity has at most {IDENTITY_MAX} bytes, not {len(identity)}")
    for name in extra:
        if name.lower() in (SOCKET_TYPE.lower(), IDENTITY.lower()):
            raise ValueError(f"{name} is no extra property: the connection tells it by itself")


def check_peer(socket_type: str, properties: Mapping[str, bytes]) -> None:
    """Raise ProtocolError when a peer with *properties* may not talk to a *socket_type* socket.

    A peer that does not tell its type passes, as with libzmq.
    """
    theirs = properties.get(SOCKET_TYPE)
    if theirs is not None and theirs.decode("ascii", "replace") not in COMPATIBLE[socket_type]:
        raise _invalid(
            f"a {socket_type} socket cannot talk to a socket of type {theirs[:20]!r}, "
            f"only to {' or '.join(sorted(COMPATIBLE[socket_type]))}"
        )


def known_of_peer(told: Mapping[str, bytes], by_zap: Mapping[str, bytes]) -> dict[str, bytes]:
    """Join what the peer told of itself and what the ZAP handler told of it; the handler wins.

    A peer's own "User-Id" and "Peer-Address" are dropped: applications take them for checked.
    """
    return {name: value for name, value in told.items() if name.lower() not in _OURS} | dict(by_zap)


def type_octet(socket_type: str) -> int:
    """Return the octet that stands for a socket type in a ZMTP 2.0 greeting.

    RFC 15 knows XPUB and XSUB as PUB and SUB; libzmq sends numbers of their own and reads none.
    """
    return _OCTETS.index(socket_type.removeprefix("X"))


def type_of_octet(octet: int) -> bytes:
    """Return the socket type for an octet of a ZMTP 2.0 greeting, or raise ProtocolError."""
    if octet >= len(_OCTETS):
        raise _invalid(f"there is no socket type {octet} in ZMTP 2.0")
    return _OCTETS[octet].encode("ascii")


def _invalid(text: str) -> ProtocolError:
    return ProtocolError(text, ProtocolReason.ZMTP_INVALID_METADATA)
