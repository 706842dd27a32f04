"""Devices with a third socket that gets a copy of every message, and a fourth to steer them by."""

from __future__ import annotations

from typing import Any

from ..constants import PAIR, PUB, QUEUE
from ..forwarding import proxy, proxy_steerable
from ..socket import Socket
from .base import Device, InProcess, InThread
from .plan import SocketPlan


class Proxy(Device):
    """A Device whose messages, both ways, go to a socket of *mon_type* as well."""

    def __init__(self, in_type: int, out_type: int, mon_type: int = PUB, **kwargs: Any) -> None:
        super().__init__(QUEUE, in_type, out_type, **kwargs)
        self.mon_type = mon_type
        self._mon = SocketPlan(mon_type)

    def bind_mon(self, addr: str) -> None:
        """Bind the mon socket when the device runs."""
        self._mon.bind(addr)

    def bind_mon_to_random_port(self, addr: str, *args: Any, **kwargs: Any) -> int:
        """Choose a free port for the mon socket; takes what Socket.bind_to_random_port takes."""
        return self._mon.bind_to_random_port(addr, *args, **kwargs)

    def connect_mon(self, addr: str) -> None:
        """Connect the mon socket when the device runs."""
        self._mon.connect(addr)

    def setsockopt_mon(self, opt: int, value: Any) -> None:
        """Set an option of the mon socket when the device runs."""
        self._mon.set(opt, value)

    def _plans(self) -> list[SocketPlan]:
        return [self._mon, *super()._plans()]

    def _pass_on(self, *sockets: Socket) -> None:
        mon, *ends = sockets
        proxy(ends[0], ends[-1], mon)


class ProxySteerable(Proxy):
    """A Proxy that a socket of *ctrl_type* receives PAUSE, RESUME and TERMINATE for."""

    def __init__(
        self,
        in_type: int,
        out_type: int,
        mon_type: int = PUB,
        ctrl_type: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(in_type, out_type, mon_type, **kwargs)
        self.ctrl_type = PAIR if ctrl_type is None else ctrl_type
        self._ctrl = SocketPlan(self.ctrl_type)

    def bind_ctrl(self, addr: str) -> None:
        """Bind the ctrl socket when the device runs."""
        self._ctrl.bind(addr)

    def bind_ctrl_to_random_port(self, addr: str, *args: Any, **kwargs: Any) -> int:
        """Choose a free port for the ctrl socket; takes what Socket.bind_to_random_port takes."""
        return self._ctrl.bind_to_random_port(addr, *args, **kwargs)

    def connect_ctrl(self, addr: str) -> None:
        """Connect the ctrl socket when the device runs."""
        self._ctrl.connect(addr)

    def setsockopt_ctrl(self, opt: int, value: Any) -> None:
        """Set an option of the ctrl socket when the device runs."""
        self._ctrl.set(opt, value)

    def _plans(self) -> list[SocketPlan]:
        return [self._ctrl, *super()._plans()]

    def _pass_on(self, *sockets: Socket) -> None:
        ctrl, mon, *ends = sockets
        proxy_steerable(ends[0], ends[-1], mon, ctrl)


class ThreadProxy(InThread, Proxy):
    """A Proxy in a thread."""


class ProcessProxy(InProcess, Proxy):
    """A Proxy in a process."""


class ThreadProxySteerable(InThread, ProxySteerable):
    """A ProxySteerable in a thread."""


class ProcessProxySteerable(InProcess, ProxySteerable):
    """A ProxySteerable in a process."""
