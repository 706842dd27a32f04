"""Socket monitors: what happens to a socket's connections, as messages (zmq_socket_monitor(3)).

The I/O workers know what happens. What they say of it is turned into messages here, by whichever
thread hears it first, so they flow while the program makes no call on the monitored socket. The
sending end of a monitor never blocks: what a slow reader has no room for is dropped, and logged.
"""

from __future__ import annotations

import contextlib
import errno
import struct
from collections import deque
from typing import TYPE_CHECKING

from .constants import DONTWAIT, PAIR, SNDHWM, Event
from .endpoints import parse_endpoint
from .errors import Again, ZMQError
from .socket_options import SocketOptions

if TYPE_CHECKING:
    from .socket import Socket
    from .workers.commands import MonitorEvent
    from .workers.link import WorkerLink

_OPENS = {
    Event.LISTENING: Event.CLOSED,
    Event.ACCEPTED: Event.DISCONNECTED,
    Event.CONNECTED: Event.DISCONNECTED,
}
"""What opens a descriptor, and what is to be said when it goes."""

_AT_THE_END = Event.CLOSED | Event.CLOSE_FAILED | Event.MONITOR_STOPPED
"""What is said while the monitored socket is being closed."""


class Monitor:
    """The monitor of one socket. Guarded by the context's lock.

    *end* is its sending end, bound already; *wanted* are the events that it sends.
    """

    def __init__(self, end: Socket, wanted: int) -> None:
        self.wanted = wanted
        self._end = end
        self._drops = False
        self._stopped = False
        self._says = False
        self._to_say: deque[tuple[int, int, str]] = deque()
        # By worker: its descriptors that are open, and what to say when they go with it.
        self._open: dict[WorkerLink, dict[int, tuple[Event, str]]] = {}

    def hear(self, link: WorkerLink, event: MonitorEvent) -> None:
        """Pass on what the worker of *link* has said."""
        descriptors = self._open.setdefault(link, {})
        opens = _OPENS.get(Event(event.event))
        if opens is not None:
            descriptors[event.value] = (opens, event.address)
        elif event.event in (Event.CLOSED, Event.DISCONNECTED, 0):
            descriptors.pop(event.value, None)
        self.say(event.event, event.value, event.address)

    def worker_died(self, link: WorkerLink) -> None:
        """All that the worker of *link* had open has gone with it."""
        for fd, (event, address) in self._open.pop(link, {}).items():
            self.say(event, fd, address)

    def socket_closes(self) -> None:
        """The monitored socket is being closed: that its connections end with it is no news."""
        self.wanted &= _AT_THE_END

    def stop(self) -> None:
        """Say that it stops, also to a reader that is behind, and close."""
        self._stopped = True
        with contextlib.suppress(ZMQError):  # its context may have closed it
            self._end.set(SNDHWM, 0)
        self.say(Event.MONITOR_STOPPED, 0, "")

    def say(self, event: int, value: int, address: str) -> None:
        """Send *event*, if it is wanted and there is room."""
        self._to_say.append((event, value, address))
        if self._says:
            return  # a forgotten socket is closed, and its events heard, in the middle of a send
        self._says = True
        try:
            while self._to_say:
                self._send(*self._to_say.popleft())
        finally:
            self._says = False
        if self._stopped:
            self._end.close()

    def _send(self, event: int, value: int, address: str) -> None:
        if not event & self.wanted:
            return
        head = struct.pack("=Hi", event, value)
        try:
            self._end.send_multipart([head, address.encode("utf-8", "surrogateescape")], DONTWAIT)
        except Again:
            if not self._drops:
                self._drops = True
                self._end.report("nobody reads this monitor: its events are dropped")
        except ZMQError:
            return  # the context ends, or memory has: nobody can be told
        else:
            self._drops = False


class Monitored(SocketOptions):
    """What a socket has for its monitor."""

    key: int
    _workers: set[WorkerLink]

    def monitor(self, addr: str | bytes | None, events: int = Event.ALL) -> None:
        """Send a message to the inproc endpoint *addr* for each event of *events* from now on.

        A message has two parts: event number (16 bits) and value (32 bits), both in this machine's
        order, then the endpoint; `shmzmq.utils.monitor` takes them apart. A PAIR socket receives
        them, which should be connected before events are expected; up to both ends' high water
        marks wait for it, and those that find no room are dropped (libzmq would block its I/O
        thread). A monitor that was there before stops; with *addr* None that is all. Does not
        block. Source: zmq_socket_monitor(3).

        Raises ZMQError: EPROTONOSUPPORT for an address that is not inproc, EINVAL for one that is
        none or for *events* beyond Event.ALL, EADDRINUSE, ENOTSOCK when this socket is closed;
        ContextTerminated.
        """
        self._open_check()
        if addr is not None:
            endpoint = parse_endpoint(addr)
            if endpoint.scheme != "inproc":
                raise ZMQError(
                    errno.EPROTONOSUPPORT,
                    f"a monitor's address is an inproc one, not {str(endpoint)!r}",
                )
            if events & ~int(Event.ALL):
                raise ZMQError(errno.EINVAL, f"no events are known beyond Event.ALL: {events:#x}")
        context = self.context
        with context.lock:
            self._stop_monitor()
            if addr is not None:
                context.monitors[self.key] = Monitor(context.open_monitor(str(endpoint)), events)
            for link in self._workers:
                self.announce_monitor(link)

    def disable_monitor(self) -> None:
        """Stop the monitor, if there is one: its last message is MONITOR_STOPPED."""
        self.__dict__["_monitor_socket"] = None
        self.monitor(None)

    def get_monitor_socket(self, events: int | None = None, addr: str | None = None) -> Socket:
        """Return a PAIR socket that receives the monitor's messages; begin to monitor if need be.

        While it is open, further calls return the same. It is the caller's to close. Raises what
        `monitor` raises.
        """
        known: Socket | None = self.__dict__.get("_monitor_socket")
        if known is not None and not known.closed:
            return known
        addr = addr or f"inproc://monitor.s-{self.key}"
        self.monitor(addr, Event.ALL if events is None else events)
        receiver = self.context.socket(PAIR)
        self.__dict__["_monitor_socket"] = receiver
        receiver.connect(addr)
        return receiver

    def note_refused_bind(self, addr: str | bytes, error: ZMQError) -> None:
        """Tell the monitor of an address that no worker was asked to listen on."""
        monitor = self.context.monitors.get(self.key)
        if monitor is None or error.errno == errno.EPROTONOSUPPORT:
            return
        with contextlib.suppress(ZMQError), self.context.lock:
            endpoint = parse_endpoint(addr)
            if endpoint.scheme != "inproc":
                monitor.say(Event.BIND_FAILED, error.errno or errno.EINVAL, endpoint.address)

    def announce_monitor(self, link: WorkerLink) -> None:
        """Tell a worker what this socket's monitor wants to hear."""
        from .workers import commands

        monitor = self.context.monitors.get(self.key)
        link.post(commands.Monitor(self.key, 0 if monitor is None else int(monitor.wanted)))

    def _stop_monitor(self) -> None:
        monitor = self.context.monitors.pop(self.key, None)
        if monitor is not None:
            monitor.stop()
