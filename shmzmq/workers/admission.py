"""Whom a listening endpoint lets in by the filters of its socket."""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from typing import Any, Final

_CREDENTIALS: Final = struct.Struct("iII")  # struct ucred: pid, uid, gid (unix(7))


def admits(stream: socket.socket, options: Mapping[str, Any]) -> bool:
    """Whether the peer of an accepted connection passes IPC_FILTER_UID, GID and PID.

    One match is enough, as with libzmq, and so are no filters. A group matches also when the peer's
    user is a member of it. Does not block, but for the system's user database. Raises OSError.
    """
    uids, gids, pids = (options.get(f"IPC_FILTER_{kind}", ()) for kind in ("UID", "GID", "PID"))
    if stream.family != socket.AF_UNIX or not (uids or gids or pids):
        return True
    data = stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, gid = _CREDENTIALS.unpack(data)
    return uid in uids or gid in gids or pid in pids or _is_member(uid, gids)


def _is_member(uid: int, gids: tuple[int, ...]) -> bool:
    """Whether the user *uid* is listed as a member of one of the groups *gids*."""
    if not gids:
        return False
    import grp
    import pwd

    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        return False
    for gid in gids:
        try:
            if name in grp.getgrgid(gid).gr_mem:
                return True
        except KeyError:
            continue
    return False
