"""The socket options that matter to a connection."""

from __future__ import annotations

from .record import TYPE_CHECKING, Record

if TYPE_CHECKING:
    from collections.abc import Mapping


class ConnectionOptions(Record):
    """The options of our socket, under their names, with units and defaults of the manual."""

    socket_type: str
    """Our socket's type, as RFC 37 spells it: "DEALER"."""
    identity: bytes = b""
    """ZMQ_IDENTITY, at most 255 bytes."""
    metadata: Mapping[str, bytes] = {}
    """Properties to tell the peer beyond Socket-Type and Identity, such as Resource and X-..."""
    handshake_ivl_ms: int = 30_000
    """ZMQ_HANDSHAKE_IVL; 0 waits for ever."""
    maxmsgsize: int = -1
    """ZMQ_MAXMSGSIZE: the largest message frame in bytes that the peer may send; -1 for no limit.
    """
    heartbeat_ivl_ms: int = 0
    """ZMQ_HEARTBEAT_IVL; 0 sends no heartbeats."""
    heartbeat_timeout_ms: int = -1
    """ZMQ_HEARTBEAT_TIMEOUT; -1 takes heartbeat_ivl_ms."""
    heartbeat_ttl_ms: int = 0
    """ZMQ_HEARTBEAT_TTL."""
