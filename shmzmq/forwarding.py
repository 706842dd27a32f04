"""Proxies: pass messages between two sockets (zmq_proxy(3), zmq_proxy_steerable(3))."""

from __future__ import annotations

from typing import Any, NoReturn

from .constants import DONTWAIT, POLLIN
from .errors import Again
from .poll import Poller
from .socket import Socket

_BATCH = 64


def proxy(frontend: Socket, backend: Socket, capture: Socket | None = None) -> NoReturn:
    """Pass messages both ways until the context ends; a copy of each goes to *capture*.

    Blocks. Raises ContextTerminated when the context is terminated, ZMQError when a socket is
    closed.
    """
    poller = Poller()
    _register(poller, frontend, backend)
    while True:
        pass_on(dict(poller.poll()), frontend, backend, capture)


def proxy_steerable(
    frontend: Socket,
    backend: Socket,
    capture: Socket | None = None,
    control: Socket | None = None,
) -> None:
    """As proxy; *control* receives PAUSE, RESUME and TERMINATE, and the last ends it."""
    poller = Poller()
    _register(poller, frontend, backend)
    if control is not None:
        poller.register(control, POLLIN)
    paused = False
    while True:
        ready = dict(poller.poll())
        if control is not None and ready.get(control):
            command = control.recv()
            if command == b"TERMINATE":
                return
            if command in (b"PAUSE", b"RESUME"):
                paused = command == b"PAUSE"
                _register(poller, *(() if paused else (frontend, backend)))
                for socket in (frontend, backend) if paused else ():
                    if socket in poller:
                        poller.unregister(socket)
        elif not paused:
            pass_on(ready, frontend, backend, capture)


def device(device_type: int, frontend: Socket, backend: Socket) -> NoReturn:
    """Pass messages both ways until the context ends; all device types are one (see `proxy`)."""
    proxy(frontend, backend)


def _register(poller: Poller, *sockets: Socket) -> None:
    for socket in sockets:
        poller.register(socket, POLLIN)


def pass_on(
    ready: dict[Any, int], frontend: Socket, backend: Socket, capture: Socket | None
) -> None:
    for source, sink in ((frontend, backend), (backend, frontend)):
        if ready.get(source, 0) & POLLIN:
            _move(source, sink, capture)
        if source is sink:
            return


def _move(source: Socket, sink: Socket, capture: Socket | None) -> None:
    """Move up to a batch of messages; a sink without room is waited for, as its sender would."""
    for _ in range(_BATCH):
        try:
            parts = source.recv_multipart(DONTWAIT)
        except Again:
            return
        if capture is not None:
            capture.send_multipart(parts)
        sink.send_multipart(parts)


__all__ = ["device", "proxy", "proxy_steerable"]
