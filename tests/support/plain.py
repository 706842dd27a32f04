"""Plain TCP sockets, at the far end of sockets of the library."""

import socket
from contextlib import ExitStack

from support.waiting import PATIENCE_S

GREETING_START = b"\xff"  # the first octet that any ZMTP peer sends


class Plain:
    """Plain TCP sockets, which give up after PATIENCE_S and are closed when the test ends."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def listener(self, host: str = "127.0.0.1", **options: int) -> socket.socket:
        """Return a socket that listens on a free port."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return self.own(socket.create_server((host, 0), family=family, **options))

    def accept(self, listener: socket.socket) -> socket.socket:
        """Return the next connection once its far end has begun to speak ZMTP."""
        stream = self.own(listener.accept()[0])
        assert stream.recv(1) == GREETING_START
        return stream

    def connect(self, endpoint: str | bytes, source: str = "") -> socket.socket:
        """Return a connection to a tcp endpoint whose far end has begun to speak ZMTP."""
        stream = self.dial(endpoint, source)
        assert stream.recv(1) == GREETING_START
        return stream

    def dial(self, endpoint: str | bytes, source: str = "") -> socket.socket:
        """Return a connection to a tcp endpoint."""
        text = endpoint.decode() if isinstance(endpoint, bytes) else endpoint
        host, _, port = text.removeprefix("tcp://").rpartition(":")
        where = (host.strip("[]"), int(port))
        return self.own(
            socket.create_connection(where, PATIENCE_S, (source, 0) if source else None)
        )

    def own(self, stream: socket.socket) -> socket.socket:
        """Close *stream* when the test ends, and have its calls give up after PATIENCE_S."""
        stream.settimeout(PATIENCE_S)
        return self._stack.enter_context(stream)
