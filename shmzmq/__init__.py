"""ZeroMQ sockets for Python at the speed of shared memory; ``import shmzmq as zmq``.

The API is pyzmq's. Processes of one machine exchange messages through rings in shared memory;
README.md says how to begin, docs/architecture.md how it works.
"""

from importlib import import_module
from typing import Any, NoReturn

from . import constants, error
from .constants import *  # noqa: F403 - all of them, as __all__ below says
from .context import Context
from .errors import (
    Again,
    ContextTerminated,
    DraftFDWarning,
    InterruptedSystemCall,
    NotDone,
    ZMQBaseError,
    ZMQBindError,
    ZMQError,
    ZMQVersionError,
    strerror,
)
from .message import FINISHED as _FINISHED_TRACKER
from .message import Frame, MessageTracker
from .poll import Poller, select
from .proxy import proxy, proxy_steerable
from .shm.lender import Loan
from .socket import Socket
from .stand_in import install_as_zmq
from .version import (
    __revision__,
    __version__,
    pyzmq_version,
    pyzmq_version_info,
    zmq_version,
    zmq_version_info,
)

COPY_THRESHOLD = 65536
DRAFT_API = False
IPC_PATH_MAX_LEN = 107
Message = Frame

# Parts that a program may use without importing them by name, as with pyzmq.
_PARTS = ("backend", "devices", "sugar", "utils")


def __getattr__(name: str) -> Any:
    """Import the parts of the package that few programs use when one does."""
    if name in _PARTS:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def device(device_type: int, frontend: Socket, backend: Socket) -> NoReturn:
    """Pass messages both ways until the context ends; all device types are one (see `proxy`)."""
    proxy(frontend, backend)


def has(capability: str) -> bool:
    """Tell whether a capability that libzmq may lack is here: "ipc" is."""
    return capability in {"ipc"}


__all__ = [
    "COPY_THRESHOLD",
    "DRAFT_API",
    "IPC_PATH_MAX_LEN",
    "_FINISHED_TRACKER",
    "Again",
    "Context",
    "ContextTerminated",
    "DraftFDWarning",
    "Frame",
    "InterruptedSystemCall",
    "Loan",
    "Message",
    "MessageTracker",
    "NotDone",
    "Poller",
    "Socket",
    "ZMQBaseError",
    "ZMQBindError",
    "ZMQError",
    "ZMQVersionError",
    "__revision__",
    "__version__",
    "device",
    "error",
    "has",
    "install_as_zmq",
    "proxy",
    "proxy_steerable",
    "pyzmq_version",
    "pyzmq_version_info",
    "select",
    "strerror",
    "zmq_version",
    "zmq_version_info",
]
__all__ += [name for name in vars(constants) if not name.startswith("_")]
