"""Devices of two sockets, and the ways to run any device beside the program."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..constants import QUEUE
from ..context import Context
from ..errors import ContextTerminated
from ..forwarding import proxy
from ..socket import Socket
from .plan import SocketPlan

if TYPE_CHECKING:
    from multiprocessing import Process


class Device:
    """Passes messages between a socket of *in_type* and one of *out_type*, both ways.

    *out_type* -1: one socket, which gets its own messages back. The sockets are made when it runs,
    from what was asked for with bind_in, connect_out, setsockopt_in and the like. start() blocks
    until the context ends; ThreadDevice and ProcessDevice do not wait for that.
    """

    context_factory: Callable[[], Context] = Context.instance
    daemon = True

    def __init__(
        self,
        device_type: int = QUEUE,
        in_type: int | None = None,
        out_type: int | None = None,
    ) -> None:
        if in_type is None or out_type is None:
            raise TypeError("a device needs the types of both its sockets")
        self.device_type = device_type
        self.in_type = in_type
        self.out_type = out_type
        self.done = False
        self._in = SocketPlan(in_type)
        self._out = SocketPlan(out_type)

    def bind_in(self, addr: str) -> None:
        """Bind the in socket when the device runs."""
        self._in.bind(addr)

    def bind_in_to_random_port(self, addr: str, *args: Any, **kwargs: Any) -> int:
        """Choose a free port for the in socket; takes what Socket.bind_to_random_port takes."""
        return self._in.bind_to_random_port(addr, *args, **kwargs)

    def connect_in(self, addr: str) -> None:
        """Connect the in socket when the device runs."""
        self._in.connect(addr)

    def setsockopt_in(self, opt: int, value: Any) -> None:
        """Set an option of the in socket when the device runs."""
        self._in.set(opt, value)

    def bind_out(self, addr: str) -> None:
        """Bind the out socket when the device runs."""
        self._out.bind(addr)

    def bind_out_to_random_port(self, addr: str, *args: Any, **kwargs: Any) -> int:
        """Choose a free port for the out socket; takes what Socket.bind_to_random_port takes."""
        return self._out.bind_to_random_port(addr, *args, **kwargs)

    def connect_out(self, addr: str) -> None:
        """Connect the out socket when the device runs."""
        self._out.connect(addr)

    def setsockopt_out(self, opt: int, value: Any) -> None:
        """Set an option of the out socket when the device runs."""
        self._out.set(opt, value)

    def start(self) -> None:
        """Run the device."""
        self.run()

    def run(self) -> None:
        """Make the sockets and pass messages until the context ends."""
        context = type(self).context_factory()
        sockets: list[Socket] = []
        try:
            for plan in self._plans():
                sockets.append(plan.make(context))
            self._pass_on(*sockets)
        except ContextTerminated:
            pass
        finally:
            for socket in sockets:
                socket.close()
            self.done = True

    def join(self, timeout: float | None = None) -> None:
        """Wait until the device has ended, at most *timeout* seconds."""

    def _plans(self) -> list[SocketPlan]:
        if self.out_type >= 0:
            return [self._in, self._out]
        merged = SocketPlan(self.in_type)
        for plan in (self._in, self._out):
            merged.take_over(plan)
        return [merged]

    def _pass_on(self, *sockets: Socket) -> None:
        proxy(sockets[0], sockets[-1])

    def _let_ports_go(self) -> None:
        for plan in vars(self).values():
            if isinstance(plan, SocketPlan):
                plan.let_ports_go()


class InThread(Device):
    """Runs a device in a thread."""

    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Run the device in a thread of its own."""
        self._let_ports_go()
        self._thread = threading.Thread(target=self.run, daemon=self.daemon)
        self._thread.start()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the device has ended, at most *timeout* seconds."""
        if self._thread is not None:
            self._thread.join(timeout)


class InProcess(Device):
    """Runs a device in a process, which has a context of its own."""

    context_factory: Callable[[], Context] = Context
    _process: Process | None = None

    def start(self) -> None:
        """Run the device in a process of its own."""
        from multiprocessing import Process

        self._let_ports_go()
        self._process = Process(target=self.run, daemon=self.daemon)
        self._process.start()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the process has ended, at most *timeout* seconds."""
        if self._process is not None:
            self._process.join(timeout)

    def __getstate__(self) -> dict[str, Any]:
        """What a process that begins afresh gets: everything but the handle of itself."""
        return {name: value for name, value in vars(self).items() if name != "_process"}


class ThreadDevice(InThread):
    """A Device in a thread."""


class ProcessDevice(InProcess):
    """A Device in a process."""
