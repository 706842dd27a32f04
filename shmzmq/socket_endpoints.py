"""A socket's endpoints: bind, connect, and their ends.

A program that imports the package should not wait for what it may never use: modules that speak
with workers are imported when the first worker is needed.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, cast

from .attendant import one_call
from .constants import (
    AFFINITY,
    ENOCOMPATPROTO,
    LAST_ENDPOINT,
    MECHANISM,
    ZAP_DOMAIN,
    SecurityMechanism,
)
from .endpoints import Endpoint, parse_endpoint
from .errors import ZMQBindError, ZMQError
from .keepers.inproc import InprocBind, InprocConnect
from .socket_options import SocketOptions

if TYPE_CHECKING:
    from types import TracebackType

    from .keepers.keeper import EndpointKeeper
    from .socket import Socket
    from .transports.interface import Transport
    from .workers.link import WorkerLink


class Bound:
    """What bind and connect return: a ``with`` block gives the endpoint up again at its end."""

    def __init__(self, socket: Socket, endpoint: str, is_bound: bool) -> None:
        self.socket = socket
        self.addr = endpoint
        self.is_bound = is_bound

    def __enter__(self) -> Socket:
        return self.socket

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.socket.closed:
            return
        try:
            (self.socket.unbind if self.is_bound else self.socket.disconnect)(self.addr)
        except ZMQError as failure:
            if error is not None or failure.errno != errno.ENOENT:
                raise

    def __repr__(self) -> str:
        how = "bind" if self.is_bound else "connect"
        return f"<{type(self).__qualname__}({how}={self.addr!r})>"


class SocketEndpoints(SocketOptions):
    """What a socket has for its endpoints."""

    key: int
    _workers: set[WorkerLink]  # that know this socket

    @property
    def core(self) -> Socket:
        """The socket itself, also where this is a shadow of it."""
        raise NotImplementedError

    @one_call
    def bind(self, addr: str | bytes) -> Bound:
        """Accept connections at *addr*; returns when it listens.

        Usable as ``with socket.bind(…):``.
        Raises ZMQError: EINVAL, EPROTONOSUPPORT, ENOCOMPATPROTO, EADDRINUSE, EADDRNOTAVAIL,
        ENAMETOOLONG, ENOTSUP for a security mechanism, or what else the system says to it.
        """
        try:
            endpoint, transport = self._resolve(addr, binding=True)
        except ZMQError as error:
            self.note_refused_bind(addr, error)
            raise
        keeper: EndpointKeeper
        if transport.capabilities.carries.is_direct:
            keeper = InprocBind(self.core, endpoint)
        else:
            self._refuse_security(endpoint)
            from .keepers.bind import WorkerBind

            keeper = WorkerBind(self.core, endpoint, self._worker())
        return self._keep(keeper)

    @one_call
    def connect(self, addr: str | bytes) -> Bound:
        """Connect to *addr*, now or as soon as somebody is there; returns at once.

        Raises ZMQError: EINVAL, EPROTONOSUPPORT, ENAMETOOLONG, ENOTSUP for a security mechanism, or
        ENOBUFS when /dev/shm is full.
        """
        endpoint, transport = self._resolve(addr, binding=False)
        keeper: EndpointKeeper
        if transport.capabilities.carries.is_direct:
            keeper = InprocConnect(self.core, endpoint)
        else:
            self._refuse_security(endpoint)
            from .keepers.connect import WorkerConnect

            keeper = WorkerConnect(self.core, endpoint, self._worker())
        return self._keep(keeper)

    @one_call
    def unbind(self, addr: str | bytes) -> None:
        """Stop accepting at *addr*; who is connected stays.

        Raises ZMQError(ENOENT) if it is not bound.
        """
        self._stop(addr, "bound")

    @one_call
    def disconnect(self, addr: str | bytes) -> None:
        """End the connection to *addr*. Raises ZMQError(ENOENT) if there is none."""
        self._stop(addr, "connected")

    def bind_to_random_port(
        self, addr: str, min_port: int = 49152, max_port: int = 65536, max_tries: int = 100
    ) -> int:
        """Bind to ``addr:port`` with a free port of [min_port, max_port); return the port.

        Raises ZMQBindError when *max_tries* ports were all taken.
        """
        if min_port == 49152 and max_port == 65536:
            self.bind(f"{addr}:*")
            return int(cast("bytes", self.options[LAST_ENDPOINT]).rpartition(b":")[2])
        import random

        for _ in range(max_tries):
            port = random.randrange(min_port, max_port)
            try:
                self.bind(f"{addr}:{port}")
            except ZMQError as error:
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    raise
            else:
                return port
        raise ZMQBindError(
            f"Could not bind socket to random port. Tries at {addr!r}, all in vain: {max_tries},"
            f" with ports from {min_port} to {max_port - 1}"
        )

    def _resolve(self, addr: str | bytes, *, binding: bool) -> tuple[Endpoint, Transport]:
        from .transports.registry import find_transport

        self._open_check()
        endpoint = parse_endpoint(addr)
        try:
            transport = find_transport(endpoint.scheme)
        except ZMQError as error:
            raise ZMQError(error.errno, f"{str(endpoint)!r}: {error}") from None
        served = transport.capabilities.socket_types
        if served is not None and self.pattern.name not in served:
            kind = self.pattern.name
            raise ZMQError(ENOCOMPATPROTO, f"{str(endpoint)!r}: not a transport for {kind} sockets")
        try:
            address = transport.check(endpoint.address, binding=binding)
        except ZMQError as error:
            raise ZMQError(error.errno, f"{str(endpoint)!r}: {error}") from None
        return endpoint._replace(address=address), transport

    def _refuse_security(self, endpoint: Endpoint) -> None:
        """Refuse to speak in the clear, or with anybody, where the user has asked for security.

        The options of mechanisms and of ZAP are held and not in effect yet.
        """
        mechanism = SecurityMechanism(cast("int", self.options[MECHANISM]))
        if mechanism != SecurityMechanism.NULL:
            asked = f"the mechanism {mechanism.name}"
        elif self.options[ZAP_DOMAIN]:
            asked = "ZAP_DOMAIN"
        else:
            return
        raise ZMQError(
            errno.ENOTSUP,
            f"{str(endpoint)!r}: {asked} is not in effect yet, and without it anybody is let in",
        )

    def forget_endpoint(self, keeper: EndpointKeeper) -> None:
        """The user has ended it by other means than `disconnect`."""
        if keeper in self._keepers:
            self._keepers.remove(keeper)

    def _worker(self) -> WorkerLink:
        """Return the worker for a new endpoint, which knows this socket from now on."""
        workers, context = self._workers, self.context
        affinity = int(cast("int", self.options[AFFINITY]))
        link: WorkerLink = context.choose_worker(affinity)
        if link not in workers:
            workers.add(link)
            link.add_socket(self.key, self.board)
            if self.key in context.monitors:
                self.announce_monitor(link)
        return link

    def _keep(self, keeper: EndpointKeeper) -> Bound:
        self._keepers.append(keeper)
        self.options.note(LAST_ENDPOINT, keeper.endpoint.encode("utf-8", "surrogateescape"))
        return Bound(cast("Socket", self), keeper.endpoint, keeper.is_bound)

    def _stop(self, addr: str | bytes, what: str) -> None:
        resolved, _ = self._resolve(addr, binding=what == "bound")
        endpoint = str(resolved)
        self.poll_events(0)
        ours = [keeper for keeper in self._keepers if keeper.is_bound == (what == "bound")]
        # LAST_ENDPOINT names one of them; what the user wrote, wildcards and all, may name several.
        named = [keeper for keeper in ours if keeper.endpoint == endpoint]
        for keeper in named or [keeper for keeper in ours if keeper.written == endpoint]:
            self._keepers.remove(keeper)
            keeper.stop()
            if keeper.is_bound:
                self._stopped.append(keeper)  # it still has the pipes of those who connected
            return
        raise ZMQError(errno.ENOENT, f"{endpoint!r} is not {what} by this socket")
