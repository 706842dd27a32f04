"""ZeroMQ sockets for Python at the speed of shared memory; ``import shmzmq as zmq``.

The API is pyzmq's. Processes of one machine exchange messages through rings in shared memory;
README.md says how to begin, docs/architecture.md how it works.
"""

from . import constants
from . import errors as error
from .constants import *  # noqa: F403 - all of them, as __all__ below says
from .context import Context
from .errors import (
    LIBZMQ_VERSION,
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
from .message import Frame, MessageTracker
from .poll import Poller, select
from .proxy import proxy, proxy_steerable
from .shm.lender import Loan
from .socket import Socket

__version__ = "0.1.0"

COPY_THRESHOLD = 65536
IPC_PATH_MAX_LEN = 107
Message = Frame


def zmq_version() -> str:
    """Return the version of libzmq whose interface this is."""
    return LIBZMQ_VERSION


def zmq_version_info() -> tuple[int, int, int]:
    """Return zmq_version as numbers."""
    major, minor, patch = (int(part) for part in LIBZMQ_VERSION.split("."))
    return major, minor, patch


def has(capability: str) -> bool:
    """Tell whether a capability that libzmq may lack is here: "ipc" is."""
    return capability in {"ipc"}


__all__ = [
    "COPY_THRESHOLD",
    "IPC_PATH_MAX_LEN",
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
    "__version__",
    "error",
    "has",
    "proxy",
    "proxy_steerable",
    "select",
    "strerror",
    "zmq_version",
    "zmq_version_info",
]
__all__ += [name for name in vars(constants) if not name.startswith("_")]
