"""A proxy whose copies say which way each message went."""

from __future__ import annotations

from typing import Any, NoReturn

from ..constants import POLLIN, PUB, ROUTER
from ..poll import Poller
from ..socket import Socket
from .base import InProcess, InThread
from .proxies import Proxy


def monitored_queue(
    in_socket: Socket,
    out_socket: Socket,
    mon_socket: Socket,
    in_prefix: bytes = b"in",
    out_prefix: bytes = b"out",
) -> NoReturn:
    """Pass messages both ways until the context ends, with copies to *mon_socket*.

    A copy has *in_prefix* or *out_prefix* in front, after the socket that the message came from.
    Between two ROUTERs the first two parts, who it is from and who it is for, change places.
    Blocks. Raises ContextTerminated.
    """
    swaps = in_socket.socket_type == out_socket.socket_type == ROUTER
    ways = {in_socket: (out_socket, in_prefix), out_socket: (in_socket, out_prefix)}
    poller = Poller()
    for socket in ways:
        poller.register(socket, POLLIN)
    while True:
        for source, _ in poller.poll():
            sink, prefix = ways[source]
            parts = source.recv_multipart()
            if swaps and len(parts) > 1:
                parts[0], parts[1] = parts[1], parts[0]
            sink.send_multipart(parts)
            mon_socket.send_multipart([prefix, *parts])


class MonitoredQueue(Proxy):
    """A Proxy whose copies have *in_prefix* or *out_prefix* in front."""

    def __init__(
        self,
        in_type: int,
        out_type: int,
        mon_type: int = PUB,
        in_prefix: bytes = b"in",
        out_prefix: bytes = b"out",
        **kwargs: Any,
    ) -> None:
        super().__init__(in_type, out_type, mon_type, **kwargs)
        self.in_prefix = in_prefix
        self.out_prefix = out_prefix

    def _pass_on(self, *sockets: Socket) -> None:
        mon, *ends = sockets
        monitored_queue(ends[0], ends[-1], mon, self.in_prefix, self.out_prefix)


class ThreadMonitoredQueue(InThread, MonitoredQueue):
    """A MonitoredQueue in a thread."""


class ProcessMonitoredQueue(InProcess, MonitoredQueue):
    """A MonitoredQueue in a process."""
