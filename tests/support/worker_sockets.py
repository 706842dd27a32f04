"""The network sockets of this process's I/O workers, as the workers have them: not their copies.

What was asked of the kernel for a connection is read from the very socket that carries it. For that
the kernel lends us the worker's descriptor (pidfd_getfd), as it lets a parent trace its child.
"""

import ctypes
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from support.waiting import wait_for

_PIDFD_GETFD = 438  # the same number on every machine (since Linux 5.6)
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def worker_sockets() -> Iterator[list[socket.socket]]:
    """Give the TCP sockets of all workers of this process, to look at and not to use."""
    with ExitStack() as stack:
        found = []
        for child in psutil.Process().children():
            if "shmzmq.workers" in child.cmdline():
                found += [stack.enter_context(stream) for stream in _sockets_of(child.pid)]
        yield found


@contextmanager
def worker_socket(local: tuple[str, int], peer: tuple[str, int]) -> Iterator[socket.socket]:
    """Give the worker's socket of the connection between these two addresses; wait for it."""
    with ExitStack() as stack:

        def look() -> socket.socket | None:
            for stream in stack.enter_context(worker_sockets()):
                if _name(stream) == local and _peer(stream) == peer:
                    return stream
            return None

        yield wait_for(look, f"a worker has a connection from {local} to {peer}")


def _sockets_of(pid: int) -> Iterator[socket.socket]:
    pidfd = os.pidfd_open(pid)
    try:
        for entry in os.listdir(f"/proc/{pid}/fd"):
            try:
                if not os.readlink(Path("/proc", str(pid), "fd", entry)).startswith("socket:"):
                    continue
                stream = socket.socket(fileno=_borrow(pidfd, int(entry)))
            except (FileNotFoundError, OSError) as error:
                if isinstance(error, PermissionError):
                    raise
                continue  # closed meanwhile
            if stream.family in (socket.AF_INET, socket.AF_INET6):
                yield stream
            else:
                stream.close()
    finally:
        os.close(pidfd)


def _borrow(pidfd: int, number: int) -> int:
    fd: int = _libc.syscall(_PIDFD_GETFD, pidfd, number, 0)
    if fd < 0:
        raise OSError(ctypes.get_errno(), f"the worker's descriptor {number} cannot be had")
    return fd


def _name(stream: socket.socket) -> tuple[str, int]:
    host, port = stream.getsockname()[:2]
    return host, port


def _peer(stream: socket.socket) -> tuple[str, int] | None:
    try:
        host, port = stream.getpeername()[:2]
    except OSError:
        return None
    return host, port
