"""pyzmq's name for the modules of its Python layer; each is the module that does it here."""

import sys

from .. import constants, context, message, poll, socket, version
from ..context import Context
from ..forwarding import proxy, proxy_steerable
from ..message import Frame, MessageTracker
from ..poll import Poller
from ..socket import Socket

frame = tracker = message

for _name, _module in {
    "constants": constants,
    "context": context,
    "frame": frame,
    "poll": poll,
    "socket": socket,
    "tracker": tracker,
    "version": version,
}.items():
    sys.modules[f"{__name__}.{_name}"] = _module

__all__ = [
    "Context",
    "Frame",
    "MessageTracker",
    "Poller",
    "Socket",
    "constants",
    "context",
    "frame",
    "poll",
    "proxy",
    "proxy_steerable",
    "socket",
    "tracker",
    "version",
]
