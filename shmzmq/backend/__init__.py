"""pyzmq's name for what its Python layer is built on; here it is all one."""

from .. import IPC_PATH_MAX_LEN, PYZMQ_DRAFT_API, has
from ..context import Context
from ..errors import strerror
from ..forwarding import proxy, proxy_steerable
from ..message import Frame
from ..socket import Socket
from ..version import zmq_version_info

Message = Frame

__all__ = [
    "IPC_PATH_MAX_LEN",
    "PYZMQ_DRAFT_API",
    "Context",
    "Frame",
    "Message",
    "Socket",
    "has",
    "proxy",
    "proxy_steerable",
    "strerror",
    "zmq_version_info",
]
