"""The bodies of command frames: a name and what follows it (RFC 37, "Commands")."""

from __future__ import annotations

from .errors import ProtocolError, ProtocolReason

PING_CONTEXT_MAX = 16
"""The most octets of context that a PONG sends back."""


def encode(name: str, data: bytes = b"") -> bytes:
    """Return the body of the command *name*: 1 to 255 visible ASCII characters, or ValueError."""
    if not (0 < len(name) <= 255 and _is_visible(name)):
        raise ValueError(f"a command name is 1 to 255 visible ASCII characters, not {name!r}")
    return bytes((len(name),)) + name.encode("ascii") + data


def decode(body: bytes) -> tuple[str, bytes]:
    """Return a command's name and the rest of its body.  Raises ProtocolError without a name."""
    end = 1 + body[0] if body else 0
    name = body[1:end].decode("ascii", "replace")
    if not 1 < end <= len(body) or not _is_visible(name):
        raise ProtocolError(
            f"a command has no proper name: it begins with {body[:20]!r}",
            ProtocolReason.ZMTP_MALFORMED_COMMAND_UNSPECIFIED,
        )
    return name, body[end:]


def _is_visible(name: str) -> bool:
    return name.isascii() and name.isprintable() and " " not in name


def ready(properties: bytes) -> bytes:
    """Return the body of READY with properties that `metadata.encode` made."""
    return encode("READY", properties)


def error(text: str) -> bytes:
    """Return the body of ERROR; *text* is a ZAP status code, or up to 255 ASCII characters."""
    reason = text.encode("ascii")
    return encode("ERROR", bytes((len(reason),)) + reason)


def error_text(data: bytes) -> str:
    """Return the reason in an ERROR command's data.  Raises ProtocolError when it is cut off.

    What stands behind the reason is passed over, as libzmq does.
    """
    if not data or len(data) < 1 + data[0]:
        raise ProtocolError(
            f"the reason in ERROR is cut off: {data!r}", ProtocolReason.ZMTP_MALFORMED_COMMAND_ERROR
        )
    return data[1 : 1 + data[0]].decode("ascii", "backslashreplace")


def ping(ttl: int, context: bytes = b"") -> bytes:
    """Return the body of PING; *ttl* is in tenths of a second, 0 to 65535."""
    return encode("PING", ttl.to_bytes(2) + context)


def ping_fields(data: bytes) -> tuple[int, bytes]:
    """Return TTL (tenths of a second) and context of a PING, cut to 16 octets as libzmq does."""
    if len(data) < 2:
        raise ProtocolError(
            f"PING has no time to live: {data!r}", ProtocolReason.ZMTP_MALFORMED_COMMAND_UNSPECIFIED
        )
    return int.from_bytes(data[:2]), data[2 : 2 + PING_CONTEXT_MAX]


def pong(context: bytes = b"") -> bytes:
    """Return the body of PONG with the context of the PING that it answers."""
    return encode("PONG", context)


def subscribe(topic: bytes) -> bytes:
    """Return the body of SUBSCRIBE, for peers that speak 3.1."""
    return encode("SUBSCRIBE", topic)


def cancel(topic: bytes) -> bytes:
    """Return the body of CANCEL, for peers that speak 3.1."""
    return encode("CANCEL", topic)
