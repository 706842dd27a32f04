"""ipc: Unix stream sockets (zmq_ipc(7)): paths, abstract names (``@name``), wildcard (``*``)."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from collections.abc import Callable

from shmzmq.errors import ZMQError

from .credentials import credentials, is_let_in
from .interface import Capabilities, Carries, Listener, Options, Transport
from .stream import DEFAULT_BACKLOG, require_listening

_LONGEST_PATH = 107  # sockaddr_un.sun_path less the final NUL (unix(7))


class IpcTransport(Transport):
    """Byte streams between processes of one machine, which may move over to shared memory."""

    scheme = "ipc"
    capabilities = Capabilities(Carries.STREAM, shared_memory=True)

    def check(self, address: str, *, binding: bool) -> str:
        """Accept a path or @name of at most 107 bytes.

        ``*`` to bind a path of the system's choice.
        """
        if address == "*" and not binding:
            raise ZMQError(errno.EINVAL, "ipc://* can be bound, not connected to")
        if address == "@":
            raise ZMQError(errno.EINVAL, "ipc://@ lacks a name behind the @")
        if "\0" in address:
            raise ZMQError(errno.EINVAL, f"{address!r} holds a NUL character")
        size = len(os.fsencode(address))
        if size > _LONGEST_PATH:
            raise ZMQError(
                errno.ENAMETOOLONG,
                f"the path {address!r} has {size} bytes; "
                f"a Unix socket's has at most {_LONGEST_PATH}",
            )
        return address

    def listen(self, address: str, options: Options) -> Listener:
        """Listen on *address*.

        A socket file that is there is replaced, and whoever listened on it loses it: the last one
        to bind a path has it (zmq_ipc(7)).
        """
        folder = None
        if address == "*":
            import tempfile  # it brings much along

            folder = tempfile.mkdtemp(prefix="shmzmq-")
            address = os.path.join(folder, "socket")
        stream = _stream()
        try:
            if not address.startswith("@"):
                _clear_the_way(address)
            stream.bind(_sockaddr(address))
            stream.listen(int(options.get("BACKLOG", DEFAULT_BACKLOG)))
        except OSError:
            stream.close()
            raise
        return Listener(stream, address, _closer(stream, address, folder))

    def adopt(self, stream: socket.socket, options: Options) -> Listener:
        """Listen on a Unix socket that listens already; its file stays when it is closed."""
        require_listening(stream, (socket.AF_UNIX,), "a Unix socket")
        stream.setblocking(False)
        name = stream.getsockname()
        address = "@" + os.fsdecode(name[1:]) if isinstance(name, bytes) else name
        return Listener(stream, address, stream.close)

    def dial(self, address: str, options: Options) -> socket.socket:
        """Connect to *address*.

        A Unix socket answers at once, or says EAGAIN when its queue is full.
        """
        stream = _stream()
        try:
            stream.connect(_sockaddr(address))
        except OSError:
            stream.close()
            raise
        return stream

    def opened(self, stream: socket.socket, options: Options, *, accepted: bool) -> str:
        """Keep out whom the IPC_FILTER options do not let in.

        The peer's address is ``localhost:UID:GID:PID``, as in libzmq; the process is the
        application, though its worker holds the connection.
        """
        peer = credentials(stream)
        if accepted and not is_let_in(peer, options):
            raise PermissionError(
                errno.EACCES,
                f"the IPC_FILTER options do not let in process {peer.pid} "
                f"of user {peer.uid} and group {peer.gid}",
            )
        return f"localhost:{peer.uid}:{peer.gid}:{peer.pid}"


def _stream() -> socket.socket:
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    stream.setblocking(False)
    return stream


def _sockaddr(address: str) -> bytes:
    path = os.fsencode(address)
    return b"\0" + path[1:] if path.startswith(b"@") else path


def _clear_the_way(path: str) -> None:
    """Remove a socket file, but nothing else: raise EADDRINUSE for a file of another kind."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise OSError(errno.EADDRINUSE, f"{path!r} is there and is not a socket")
        os.unlink(path)


def _closer(stream: socket.socket, address: str, folder: str | None) -> Callable[[], None]:
    inode = None if address.startswith("@") else os.stat(address).st_ino

    def close() -> None:
        stream.close()
        with contextlib.suppress(OSError):
            # Somebody may have put a socket of their own there meanwhile.
            if inode is not None and os.stat(address).st_ino == inode:
                os.unlink(address)
        if folder is not None:
            with contextlib.suppress(OSError):
                os.rmdir(folder)

    return close
