"""The worker process: takes commands from its application and keeps its endpoints.

It serves one context at a time. It ignores SIGINT, which is the application's, and ends when the
application ends, however that was: a pidfd tells, since a forked child may hold our stream open.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import select
import signal
import socket
import traceback
from typing import Any, Final

from ..constants import Event
from ..errors import ZMQError
from ..shm.board import Control, open_board
from ..transports.interface import Dialling, Listener, Transport
from . import commands
from .announcer import Announcer
from .application import ApplicationGone, ApplicationLink
from .commands import Packet
from .connector import ConnectingEndpoint
from .exchange import Exchange
from .guarded import guarded_transport
from .hosting import HostedSocket
from .kept import KeptPipe
from .listener import ListeningEndpoint
from .lookup import Lookups
from .reactor import READ, Reactor
from .session import Workplace
from .statistics import WorkerCounters

_NOT_HOSTED: Final = "the I/O worker has no descriptor left for this socket (see RLIMIT_NOFILE)"
_DYING_MS: Final = 1000
"""How long a process that has closed its descriptors may take to be dead."""


class Worker:
    """One worker and its application's stream *link*."""

    def __init__(self, link: socket.socket) -> None:
        self._reactor = Reactor()
        self._link = ApplicationLink(self._reactor, link, self._take_command, self._told)
        self.tell = self._link.tell
        self._exchange = Exchange(self._reactor)
        self._workplace = Workplace(self._reactor, self._exchange, Lookups(self._reactor))
        self._sockets: dict[int, HostedSocket] = {}
        self._closed_sockets: set[int] = set()
        self._listeners: dict[int, ListeningEndpoint] = {}
        self._looked_up: set[int] = set()  # endpoints whose addresses are
        self._connectors: dict[int, ConnectingEndpoint] = {}
        self._to_keep: dict[int, list[KeptPipe]] = {}
        self._application = (0, 0)
        self._pidfd = -1
        self._counters: WorkerCounters | None = None
        self._handlers: dict[type, Any] = {
            commands.Serve: self._serve,
            commands.Release: self._release,
            commands.AddSocket: self._add_socket,
            commands.RemoveSocket: self._remove_socket,
            commands.Monitor: self._monitor,
            commands.Bind: self._bind,
            commands.Unbind: self._unbind,
            commands.Connect: self._connect,
            commands.Keep: self._keep,
            commands.Offer: self._offer,
            commands.Disconnect: self._disconnect,
            commands.Linger: self._linger,
            commands.SetMarks: self._set_marks,
            commands.Hangup: self._hang_up,
        }

    def run(self) -> None:
        """Serve until the application has gone: raises ApplicationGone then."""
        self._link.open()
        self._reactor.run(self._exchange, self._after_each_round)
        raise ApplicationGone

    def await_death(self) -> None:
        """Its stream has ended while it had endpoints, so the application is dying: see it dead.

        Whoever hears from us that a connection has ended shall not find the application still
        there.
        """
        if self._counters is not None and self._pidfd >= 0:
            poll = select.poll()
            poll.register(self._pidfd, select.POLLIN)
            poll.poll(_DYING_MS)

    def close(self) -> None:
        """Let everything go, telling nobody."""
        self._link.close()
        self._drop_all()

    # -- the application's stream ------------------------------------------------------------------

    def _told(self, key: int) -> None:
        """An event is on its way; one about a socket is to wake it."""
        if key in self._sockets:
            self._sockets[key].board.notify(Control.EVENT)

    def _take_command(self, packet: Packet, fds: list[int]) -> None:
        handler = self._handlers[type(packet)]
        if isinstance(packet, commands.AddSocket):
            if fds:  # else none was left for it; those who ask for the socket are told
                handler(packet, fds[0])
        elif isinstance(packet, commands.Bind):
            handler(packet, fds[0] if fds else -1)
        else:
            handler(packet)

    # -- commands ----------------------------------------------------------------------------------

    def _serve(self, packet: commands.Serve) -> None:
        self._application = (packet.pid, packet.start)
        blocks = self._exchange.lender.pool
        assert blocks is not None, "an exchange has one"
        blocks.limit = packet.block_pool_size
        self._counters = WorkerCounters(packet.directory, packet.worker_key)
        with contextlib.suppress(OSError), open("/proc/self/comm", "w") as comm:
            comm.write(packet.name)
        if self._pidfd < 0:
            try:
                self._pidfd = os.pidfd_open(packet.pid)
            except OSError as error:
                raise ApplicationGone from error
            self._reactor.watch(self._pidfd, READ, self._application_ended)

    def _application_ended(self, _: int) -> None:
        raise ApplicationGone

    def _release(self, _: commands.Release) -> None:
        self._drop_all()
        self.tell(commands.Idle())

    def _drop_all(self) -> None:
        for endpoint in self._endpoints():
            endpoint.close()
        self._listeners.clear()
        self._looked_up.clear()
        self._connectors.clear()
        self._sockets.clear()
        self._closed_sockets.clear()
        self._exchange.close()
        self._counters = None

    def _add_socket(self, packet: commands.AddSocket, doorbell_fd: int) -> None:
        try:
            board = open_board(packet.board, doorbell_fd)
        except ZMQError:
            return  # closed since, or no descriptor was left to open it
        self._sockets[packet.socket] = HostedSocket(packet.socket, board, self._application)

    def _monitor(self, packet: commands.Monitor) -> None:
        if packet.socket in self._sockets:
            self._sockets[packet.socket].monitored = packet.events

    def _remove_socket(self, packet: commands.RemoveSocket) -> None:
        self._closed_sockets.add(packet.socket)
        for key, listener in list(self._listeners.items()):
            if listener.hosted.key == packet.socket and not listener.is_lingering:
                listener.close()
                del self._listeners[key]
        self._forget_closed_sockets()

    def _forget_closed_sockets(self) -> None:
        in_use = {endpoint.hosted.key for endpoint in self._endpoints()}
        for key in self._closed_sockets - in_use:
            self._sockets.pop(key, None)
        self._closed_sockets &= in_use

    def _bind(self, packet: commands.Bind, given_fd: int) -> None:
        """Listen, on the application's own descriptor if there is one; look names up before."""
        if packet.endpoint in self._listeners:
            return  # asked again by an application that saw our predecessor die over it
        try:
            transport = guarded_transport(packet.scheme)
            if packet.address is None:
                self._bound(packet, transport, None)
                return
            if packet.options.get("USE_FD", -1) >= 0:
                self._bound(packet, transport, _adopt(transport, packet, given_fd))
                return
            seek = transport.lookup(packet.address, packet.options, binding=True)
            if seek is not None:
                lookups = self._workplace.lookups
                self._looked_up.add(packet.endpoint)
                lookups.run(seek, lambda found: self._listen_there(packet, transport, found))
                return
        except OSError as error:
            self._not_bound(packet, error)
            return
        self._listen(packet, transport, (packet.address, packet.options))

    def _listen_there(
        self, packet: commands.Bind, transport: Transport, where: Dialling | OSError
    ) -> None:
        if packet.endpoint in self._looked_up:  # else it was unbound meanwhile
            self._looked_up.discard(packet.endpoint)
            self._listen(packet, transport, where)

    def _listen(
        self, packet: commands.Bind, transport: Transport, where: Dialling | OSError
    ) -> None:
        try:
            if isinstance(where, OSError):
                raise where
            self._bound(packet, transport, transport.listen(*where))
        except OSError as error:
            self._not_bound(packet, error)

    def _bound(
        self, packet: commands.Bind, transport: Transport, listener: Listener | None
    ) -> None:
        hosted = self._sockets.get(packet.socket)
        if hosted is None:
            if listener is not None:
                listener.close()
            raise OSError(errno.EMFILE, _NOT_HOSTED)
        try:
            endpoint = ListeningEndpoint(
                self._workplace, transport, listener, packet, hosted, self.tell, self._listener_done
            )
        except OSError:
            if listener is not None:
                listener.close()
            raise
        self._listeners[packet.endpoint] = endpoint
        for pipe in self._to_keep.pop(packet.endpoint, ()):
            endpoint.keep(pipe)
        self.tell(commands.Bound(packet.endpoint, 0, "", listener.address if listener else ""))

    def _not_bound(self, packet: commands.Bind, error: OSError) -> None:
        hosted = self._sockets.get(packet.socket)
        if hosted is not None:  # the monitor gets the address as libzmq's does, without its scheme
            announcer = Announcer(hosted, self.tell, packet.address or "")
            announcer.say(Event.BIND_FAILED, error.errno or errno.EIO)
        text = error.strerror or str(error)
        self.tell(commands.Bound(packet.endpoint, error.errno or 5, text, packet.address or ""))

    def _unbind(self, packet: commands.Unbind) -> None:
        self._looked_up.discard(packet.endpoint)
        listener = self._listeners.get(packet.endpoint)
        if listener is not None:
            listener.stop_listening()
        self.tell(commands.Unbound(packet.endpoint))

    def _connect(self, packet: commands.Connect) -> None:
        if packet.socket not in self._sockets:
            self.tell(commands.Refused(packet.socket, packet.endpoint, _NOT_HOSTED))
            return
        try:
            transport = guarded_transport(packet.scheme)
        except OSError as error:
            self._to_keep.pop(packet.endpoint, None)
            text = f"cannot connect: {error.strerror}"
            self.tell(commands.Refused(packet.socket, packet.endpoint, text))
            return
        endpoint = self._connectors[packet.endpoint] = ConnectingEndpoint(
            self._workplace,
            transport,
            packet,
            self._sockets[packet.socket],
            self.tell,
            self._connector_done,
        )
        for pipe in self._to_keep.pop(packet.endpoint, ()):
            endpoint.keep(pipe)

    def _keep(self, packet: commands.Keep) -> None:
        # Before its endpoint is there: nobody may ask for the link while we do not know the pipe.
        pipe = KeptPipe(packet.token, packet.segment, packet.bit, packet.peer)
        self._to_keep.setdefault(packet.endpoint, []).append(pipe)

    def _disconnect(self, packet: commands.Disconnect) -> None:
        connector = self._connectors.pop(packet.endpoint, None)
        if connector is not None:
            connector.close()
            self._forget_closed_sockets()

    def _offer(self, packet: commands.Offer) -> None:
        connector = self._connectors.get(packet.endpoint)
        if connector is not None:
            connector.offer(packet)

    def _linger(self, packet: commands.Linger) -> None:
        endpoint = self._connectors.get(packet.endpoint) or self._listeners.get(packet.endpoint)
        if endpoint is not None:
            endpoint.linger(packet)
        else:
            self.tell(commands.Settled(packet.endpoint, False))

    def _set_marks(self, packet: commands.SetMarks) -> None:
        endpoint = self._connectors.get(packet.endpoint) or self._listeners.get(packet.endpoint)
        if endpoint is not None:
            endpoint.set_marks(packet)

    def _connector_done(self, connector: ConnectingEndpoint) -> None:
        self._connectors.pop(connector.key, None)
        self._forget_closed_sockets()

    def _listener_done(self, listener: ListeningEndpoint) -> None:
        self._listeners.pop(listener.key, None)
        self._forget_closed_sockets()

    def _hang_up(self, packet: commands.Hangup) -> None:
        any(endpoint.hang_up(packet.token) for endpoint in self._endpoints())

    def _endpoints(self) -> list[ListeningEndpoint | ConnectingEndpoint]:
        return [*self._listeners.values(), *self._connectors.values()]

    # -- counters ----------------------------------------------------------------------------------

    def _after_each_round(self) -> None:
        if self._counters is not None:
            connections = sum(len(listener.sessions) for listener in self._listeners.values())
            self._counters.note(self._reactor.loops, connections + len(self._connectors))


def _adopt(transport: Transport, packet: commands.Bind, given_fd: int) -> Listener:
    """Make a listener of the descriptor that the application sent. Raises OSError."""
    if given_fd < 0:
        raise OSError(errno.EMFILE, _NOT_HOSTED)
    stream = socket.socket(fileno=given_fd)
    try:
        return transport.adopt(stream, packet.options)
    except OSError:
        stream.close()
        raise


def run(fd: int) -> None:
    """Be a worker until the application at the far end of descriptor *fd* has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # one stream for each connection
    worker = Worker(socket.socket(fileno=fd))
    try:
        worker.run()
    except ApplicationGone:
        worker.await_death()
        worker.close()
    except BaseException:
        # No goodbye to anybody: the application goes on with another worker.
        with contextlib.suppress(OSError):
            worker.tell(commands.Failed(traceback.format_exc()))
        raise
