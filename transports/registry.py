"""Finds a transport by its scheme: built-in ones at once, others among installed entry points.

Anyone's package may add one through the entry-point group ``shmzmq.transports``; the installed
distributions are searched only for a scheme that is not built in, since that takes milliseconds.
"""

from __future__ import annotations

import errno
from importlib import import_module
from typing import Final

from shmzmq.errors import ZMQError

from .interface import Transport

GROUP: Final = "shmzmq.transports"
_BUILT_IN: Final = {
    "ipc": ("shmzmq.transports.ipc", "IpcTransport"),
    "inproc": ("shmzmq.transports.inproc", "InprocTransport"),
    "tcp": ("shmzmq.transports.tcp", "TcpTransport"),
}
_loaded: dict[str, Transport] = {}


def find_transport(scheme: str) -> Transport:
    """Return the transport for *scheme*.

    Raises ZMQError(EPROTONOSUPPORT) when there is none. Seldom blocks: the first look for a scheme
    that is not built in reads the metadata of installed packages.
    """
    found = _loaded.get(scheme)
    if found is None:
        found = _loaded[scheme] = _load(scheme)
    return found


def register(transport: Transport) -> None:
    """Make *transport* available in this process, in place of any other of its scheme.

    Streams are carried by worker processes, which find transports through the entry points only.
    """
    _loaded[transport.scheme] = transport


def _load(scheme: str) -> Transport:
    if scheme in _BUILT_IN:
        module, name = _BUILT_IN[scheme]
        transport: Transport = getattr(import_module(module), name)()
        return transport
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP, name=scheme):
        plugin: Transport = point.load()()
        return plugin
    known = ", ".join(sorted(_BUILT_IN.keys() | _loaded.keys()))
    raise ZMQError(
        errno.EPROTONOSUPPORT, f"there is no transport {scheme}://; built in or loaded are {known}"
    )
