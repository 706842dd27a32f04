"""Proxies that let other greenlets run."""

from __future__ import annotations

from typing import NoReturn

from ..constants import POLLIN
from ..forwarding import pass_on
from .core import Socket
from .poll import Poller


def proxy(frontend: Socket, backend: Socket, capture: Socket | None = None) -> NoReturn:
    """Pass messages both ways until the context ends, with copies to *capture*."""
    poller = Poller()
    for socket in (frontend, backend):
        poller.register(socket, POLLIN)
    while True:
        pass_on(dict(poller.poll()), frontend, backend, capture)


def device(device_type: int, frontend: Socket, backend: Socket) -> NoReturn:
    """Pass messages both ways until the context ends; all device types are one."""
    proxy(frontend, backend)
