"""What a worker tells the monitor of a socket about one endpoint (zmq_socket_monitor(3))."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Final

from ..constants import Event
from ..zmtp import events
from .commands import MonitorEvent, Packet
from .hosting import HostedSocket

UNHEARD: Final = 0
"""No event: a connection has ended because our application wanted it, of which nothing is said."""

_FOLLOWED: Final = (
    Event.LISTENING
    | Event.ACCEPTED
    | Event.CONNECTED
    | Event.CLOSED
    | Event.CLOSE_FAILED
    | Event.DISCONNECTED
)
"""What the application is told in any case, to know what went with us if we die."""


class Announcer:
    """Tells the monitor of *hosted*, if there is one, about the endpoint *address*."""

    def __init__(
        self,
        hosted: HostedSocket,
        tell: Callable[[Packet, tuple[int, ...]], None],
        address: str,
    ) -> None:
        self._hosted = hosted
        self._tell = tell
        self._address = address

    def say(self, event: int, value: int) -> None:
        """Tell of *event*, if it is wanted."""
        wanted = self._hosted.monitored
        if wanted and (event == UNHEARD or event & (wanted | _FOLLOWED)):
            self._tell(MonitorEvent(self._hosted.key, int(event), value, self._address), ())


def failed_handshake(end: events.Event | None) -> tuple[Event, int]:
    """Return event and value for a handshake that came to this *end*; None: the stream ended."""
    if isinstance(end, events.ProtocolViolation):
        return Event.HANDSHAKE_FAILED_PROTOCOL, int(end.reason)
    if isinstance(end, events.AccessDenied) or (isinstance(end, events.PeerError) and end.status):
        return Event.HANDSHAKE_FAILED_AUTH, end.status
    number = errno.ECONNRESET
    if isinstance(end, events.TimedOut):
        number = errno.ETIMEDOUT
    elif isinstance(end, events.PeerError):
        number = errno.ECONNREFUSED
    return Event.HANDSHAKE_FAILED_NO_DETAIL, number
