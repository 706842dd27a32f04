"""Making sockets that a broken library cannot make a test hang on, and closing them all."""

from collections.abc import Iterable
from typing import Any

from support.library import Context, Socket, zmq
from support.waiting import PATIENCE_MS


class SocketFactory:
    """Opens sockets of one context and closes whatever is still open at the end."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._opened: list[Socket] = []

    def open(
        self,
        socket_type: int,
        *,
        bind: str | Iterable[str] = (),
        connect: str | Iterable[str] = (),
        **options: Any,
    ) -> Socket:
        """Return a new socket with these options set, then bound and connected to these endpoints.

        Sends and receives end with Again after PATIENCE_MS, and the socket lingers 0 ms, unless
        options say otherwise. A list as an option's value sets it once for each member
        (subscribe=[b"a", b"b"]).
        """
        socket = self.context.socket(socket_type)
        self.adopt(socket, **options)
        for endpoint in [bind] if isinstance(bind, str) else bind:
            socket.bind(endpoint)
        for endpoint in [connect] if isinstance(connect, str) else connect:
            socket.connect(endpoint)
        return socket

    def adopt(self, socket: Socket, **options: Any) -> Socket:
        """Set options as `open` does, and close *socket* with all others; return it."""
        self._opened.append(socket)
        defaults = {"linger": 0, "sndtimeo": PATIENCE_MS, "rcvtimeo": PATIENCE_MS}
        for name, value in (defaults | options).items():
            for each in value if isinstance(value, list) else [value]:
                socket.setsockopt(getattr(zmq, name.upper()), each)
        return socket

    def close(self) -> None:
        """Close every socket that was opened here, dropping what it has not sent."""
        for socket in self._opened:
            socket.close(linger=0)
        self._opened.clear()
