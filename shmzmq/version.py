"""Which version this is, and whose interface it has."""

from __future__ import annotations

from .errors import LIBZMQ_VERSION

__version__ = "0.1.0"
__revision__ = ""
VERSION_EXTRA = ""

# The pyzmq whose interface this is: programs ask whether it is new enough for what they call.
_INTERFACE = (27, 3, 0)


def pyzmq_version() -> str:
    """Return shmzmq's own version, which stands where pyzmq's would."""
    return __version__


def pyzmq_version_info() -> tuple[int, int, int]:
    """Return the version of pyzmq whose interface this is, to be compared with."""
    return _INTERFACE


def zmq_version() -> str:
    """Return the version of libzmq whose interface this is."""
    return LIBZMQ_VERSION


def zmq_version_info() -> tuple[int, int, int]:
    """Return zmq_version as numbers."""
    major, minor, patch = (int(part) for part in LIBZMQ_VERSION.split("."))
    return major, minor, patch
