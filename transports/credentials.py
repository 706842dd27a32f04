"""Who is at the far end of a Unix socket, and whether the IPC_FILTER options let it in."""

from __future__ import annotations

import os
import socket
import struct
from typing import Final, NamedTuple

from .interface import Options

_FILTERS: Final = ("UID", "GID", "PID")
_WORKER: Final = b"shmzmq.workers"  # what an I/O worker was started as, in its command line


class Credentials(NamedTuple):
    """A process, and the user and group that it has."""

    pid: int
    uid: int
    gid: int


def credentials(stream: socket.socket) -> Credentials:
    """Return who called connect, or listen, at the far end.

    An I/O worker does so for the application that has started it, which is who the user means.
    Whatever else an application starts is a process in its own right.
    """
    size = struct.calcsize("3I")
    data = stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    peer = Credentials(*struct.unpack("3I", data))
    return peer._replace(pid=_application_of(peer) or peer.pid)


def _application_of(peer: Credentials) -> int | None:
    """Return the parent of a worker, if it is of the same user; None when *peer* is no worker."""
    try:
        with open(f"/proc/{peer.pid}/cmdline", "rb") as command:
            if _WORKER not in command.read().split(b"\0"):
                return None
        with open(f"/proc/{peer.pid}/stat", "rb") as stat:
            # The command's name stands in parentheses and may hold anything; see proc(5).
            parent = int(stat.read().rpartition(b")")[2].split()[1])
        return parent if os.stat(f"/proc/{parent}").st_uid == peer.uid else None
    except OSError:  # it has gone, or its pid means nothing here
        return None


def is_let_in(peer: Credentials, options: Options) -> bool:
    """Whether there are no filters, or one of any kind lets *peer* in, as in libzmq.

    A group lets in its members too, whatever group their process has.
    """
    users, groups, processes = (options.get(f"IPC_FILTER_{kind}", ()) for kind in _FILTERS)
    if not (users or groups or processes):
        return True
    if peer.uid in users or peer.gid in groups or peer.pid in processes:
        return True
    return bool(groups) and not set(_groups_of(peer)).isdisjoint(groups)


def _groups_of(peer: Credentials) -> list[int]:
    """Return the groups of which the user is a member."""
    import pwd  # few set filters

    try:
        name = pwd.getpwuid(peer.uid).pw_name
    except KeyError:
        return []
    return os.getgrouplist(name, peer.gid)
