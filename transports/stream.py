"""What the stream transports have in common."""

from __future__ import annotations

import errno
import socket
from typing import Final

DEFAULT_BACKLOG: Final = 100


def require_listening(stream: socket.socket, families: tuple[int, ...], expected: str) -> None:
    """Raise OSError(EINVAL) unless *stream* is a stream socket of one of *families* that listens.

    *expected*: what it should be, for the message.
    """
    kind = f"{getattr(stream.family, 'name', stream.family)} {stream.type.name}"
    if stream.family not in families or stream.type != socket.SOCK_STREAM:
        raise OSError(errno.EINVAL, f"USE_FD names a socket of {kind}; expected {expected}")
    if not stream.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        raise OSError(errno.EINVAL, f"USE_FD names a socket of {kind} that does not listen")
