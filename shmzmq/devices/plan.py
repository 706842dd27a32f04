"""One socket that a device will make: what to set, bind and connect when it runs."""

from __future__ import annotations

from typing import Any

from ..constants import PULL
from ..context import Context
from ..socket import Socket


class SocketPlan:
    """A socket to be. Ports chosen at random are held until the device starts."""

    def __init__(self, socket_type: int) -> None:
        self.socket_type = socket_type
        self._options: list[tuple[int, Any]] = []
        self._endpoints: list[tuple[str, str]] = []
        self._holding: Context | None = None
        self._holders: list[Socket] = []

    def set(self, option: int, value: Any) -> None:
        """Set a socket option then."""
        self._options.append((option, value))

    def bind(self, address: str) -> None:
        """Bind then."""
        self._endpoints.append(("bind", address))

    def connect(self, address: str) -> None:
        """Connect then."""
        self._endpoints.append(("connect", address))

    def bind_to_random_port(self, address: str, *args: Any, **kwargs: Any) -> int:
        """Choose a free port and bind to it then; takes what Socket.bind_to_random_port takes."""
        if self._holding is None:
            self._holding = Context()
        self._holders.append(self._holding.socket(PULL))
        port = self._holders[-1].bind_to_random_port(address, *args, **kwargs)
        self.bind(f"{address}:{port}")
        return port

    def let_ports_go(self) -> None:
        """Free the ports for the socket that is about to bind to them."""
        if self._holding is not None:
            self._holding.destroy(linger=0)
            self._holding = None
            self._holders.clear()

    def take_over(self, other: SocketPlan) -> None:
        """Plan for this socket too what was planned for *other*."""
        other.let_ports_go()
        self._options += other._options
        self._endpoints += other._endpoints

    def make(self, context: Context) -> Socket:
        """Make the socket. Raises ZMQError as its calls do."""
        self.let_ports_go()
        socket = context.socket(self.socket_type)
        for option, value in self._options:
            socket.set(option, value)
        for method, address in self._endpoints:
            getattr(socket, method)(address)
        return socket

    def __del__(self) -> None:
        self.let_ports_go()
