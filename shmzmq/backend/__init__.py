"""pyzmq's name for what its Python layer is built on; here it is all one."""

from ..context import Context
from ..errors import strerror
from ..forwarding import proxy, proxy_steerable
from ..message import Frame
from ..socket import Socket
from ..version import zmq_version_info

__all__ = [
    "Context",
    "Frame",
    "Socket",
    "proxy",
    "proxy_steerable",
    "strerror",
    "zmq_version_info",
]
