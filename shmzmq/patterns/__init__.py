"""How each socket type routes: fair queueing, load balancing, distribution, and one file a type."""

from __future__ import annotations

import errno
from importlib import import_module
from typing import TYPE_CHECKING, Final

from ..constants import SocketType
from ..errors import ZMQError

if TYPE_CHECKING:
    from .pattern import Pattern

_CLASSES: Final = {
    SocketType.PAIR: "Pair",
    SocketType.PUB: "Pub",
    SocketType.SUB: "Sub",
    SocketType.REQ: "Req",
    SocketType.REP: "Rep",
    SocketType.DEALER: "Dealer",
    SocketType.ROUTER: "Router",
    SocketType.PULL: "Pull",
    SocketType.PUSH: "Push",
    SocketType.XPUB: "XPub",
    SocketType.XSUB: "XSub",
    SocketType.STREAM: "Stream",
}


def raw_router() -> Pattern:
    """Return the routing of a ROUTER with ROUTER_RAW: that of STREAM, but lenient."""
    from .stream import Stream

    return Stream(mandatory=False)


def new_pattern(socket_type: SocketType) -> Pattern:
    """Return the routing of a new socket.

    Raises ZMQError(EINVAL) for a type that is not offered.
    """
    name = _CLASSES.get(socket_type)
    if name is None:
        known = ", ".join(kind.name for kind in _CLASSES)
        raise ZMQError(errno.EINVAL, f"{socket_type!r} sockets are not offered; there are {known}")
    pattern: Pattern = getattr(import_module(f".{name.lower()}", __name__), name)()
    return pattern
