"""pyzmq's name for the modules of its Python layer; each is the module that does it here."""

import sys

from .. import constants, context, error, message, poll, socket, version
from ..context import Context
from ..error import *  # noqa: F403 - the errors, which pyzmq has here too
from ..error import __all__ as _errors
from ..forwarding import device, proxy, proxy_steerable
from ..message import Frame, MessageTracker
from ..poll import Poller, select
from ..socket import Socket
from ..version import (
    __revision__,
    __version__,
    pyzmq_version,
    pyzmq_version_info,
    zmq_version,
    zmq_version_info,
)

Message = Frame
SyncContext, SyncSocket = Context, Socket
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

__all__ = [  # noqa: PLE0604 - the names of another __all__ are strings
    *_errors,
    "Context",
    "Frame",
    "Message",
    "MessageTracker",
    "Poller",
    "Socket",
    "SyncContext",
    "SyncSocket",
    "__revision__",
    "__version__",
    "constants",
    "context",
    "device",
    "error",
    "frame",
    "poll",
    "proxy",
    "proxy_steerable",
    "pyzmq_version",
    "pyzmq_version_info",
    "select",
    "socket",
    "tracker",
    "version",
    "zmq_version",
    "zmq_version_info",
]
