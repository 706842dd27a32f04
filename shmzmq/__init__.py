"""ZeroMQ sockets for Python at the speed of shared memory; ``import shmzmq as zmq``.

The API is pyzmq's. Processes of one machine exchange messages through rings in shared memory;
README.md says how to begin, docs/architecture.md how it works.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import constants, error
from .constants import *  # noqa: F403 - all of them, as __all__ below says
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
from .version import (
    __revision__,
    __version__,
    pyzmq_version,
    pyzmq_version_info,
    zmq_version,
    zmq_version_info,
)

if TYPE_CHECKING:
    from .context import Context
    from .context import Context as SyncContext
    from .forwarding import device, proxy, proxy_steerable
    from .message import FINISHED as _FINISHED_TRACKER
    from .message import Frame, MessageTracker
    from .message import Frame as Message
    from .poll import Poller, select
    from .shm.lender import Loan
    from .socket import Socket
    from .socket import Socket as SyncSocket
    from .stand_in import install_as_zmq

COPY_THRESHOLD = 65536
DRAFT_API = PYZMQ_DRAFT_API = False
IPC_PATH_MAX_LEN = 107

# A program that imports the package does not wait for what it does not use: these names are looked
# up, in the module given and maybe by another name there, when a program first uses them.
_LOOKED_UP = {
    "_FINISHED_TRACKER": ("message", "FINISHED"),
    "Context": ("context", "Context"),
    "Frame": ("message", "Frame"),
    "Loan": ("shm.lender", "Loan"),
    "Message": ("message", "Frame"),
    "MessageTracker": ("message", "MessageTracker"),
    "Poller": ("poll", "Poller"),
    "Socket": ("socket", "Socket"),
    "SyncContext": ("context", "Context"),
    "SyncSocket": ("socket", "Socket"),
    "device": ("forwarding", "device"),
    "install_as_zmq": ("stand_in", "install_as_zmq"),
    "proxy": ("forwarding", "proxy"),
    "proxy_steerable": ("forwarding", "proxy_steerable"),
    "select": ("poll", "select"),
}

# Parts that a program may use without importing them by name, as with pyzmq.
_PARTS = ("backend", "devices", "sugar", "utils")


def __getattr__(name: str) -> Any:
    """Import what is used for the first time (PEP 562)."""
    if name in _PARTS:
        return import_module(f".{name}", __name__)
    if name not in _LOOKED_UP:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, there = _LOOKED_UP[name]
    value = globals()[name] = getattr(import_module(f".{module}", __name__), there)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LOOKED_UP, *_PARTS})


def has(capability: str) -> bool:
    """Tell whether a capability that libzmq may lack is here: "ipc" is."""
    return capability in {"ipc"}


__all__ = [
    "COPY_THRESHOLD",
    "DRAFT_API",
    "IPC_PATH_MAX_LEN",
    "PYZMQ_DRAFT_API",
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
    "SyncContext",
    "SyncSocket",
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
