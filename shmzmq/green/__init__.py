"""Sockets for gevent: waiting lets other greenlets run (``pip install shmzmq[green]``).

``from shmzmq import green as zmq`` is the package with a Context, Socket, Poller, select, device
and proxy that wait in gevent's hub.
"""

import shmzmq as _shmzmq
from shmzmq import *  # noqa: F403 - the package, but for what follows

from .core import Context, Socket  # type: ignore[assignment]
from .device import device, proxy  # type: ignore[assignment]
from .poll import Poller, select

SyncContext, SyncSocket = _shmzmq.Context, _shmzmq.Socket  # type: ignore[misc]

__all__ = [*_shmzmq.__all__, "Context", "Poller", "Socket", "device", "proxy", "select"]  # noqa: PLE0604
