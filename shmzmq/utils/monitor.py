"""What a socket's monitor says, taken apart; the names are those of zmq.utils.monitor."""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, cast

from ..constants import Event

if TYPE_CHECKING:
    from ..socket import Socket

_HEAD = struct.Struct("=Hi")


class MonitorMessage(TypedDict):
    """An event of a monitored socket."""

    event: int
    value: int
    endpoint: bytes


def parse_monitor_message(msg: Sequence[bytes]) -> MonitorMessage:
    """Return what the two parts of a monitor's message say (zmq_socket_monitor(3)).

    Raises RuntimeError for anything else.
    """
    if len(msg) != 2 or len(msg[0]) != _HEAD.size:
        raise RuntimeError(f"expected 6 bytes and an endpoint of a socket monitor, not {msg!r}")
    event, value = _HEAD.unpack(msg[0])
    return {"event": Event(event), "value": value, "endpoint": msg[1]}


def recv_monitor_message(socket: Socket, flags: int = 0) -> Any:
    """Receive a monitor's message on *socket* (see Socket.get_monitor_socket), and take it apart.

    Blocks as `Socket.recv` does with *flags*, and raises what that raises. From a socket whose
    recv_multipart returns an awaitable, one of the same message is returned.
    """
    parts: Any = socket.recv_multipart(flags)
    if isinstance(parts, Awaitable):
        return _parse_when_there(parts)
    return parse_monitor_message(cast("list[bytes]", parts))


async def _parse_when_there(parts: Awaitable[list[bytes]]) -> MonitorMessage:
    return parse_monitor_message(await parts)


__all__ = ["parse_monitor_message", "recv_monitor_message"]
