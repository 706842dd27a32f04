"""The tcp transport: addresses, listening and dialling sockets, and what is done with each peer."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from shmzmq.errors import ZMQError

from ..interface import Capabilities, Carries, Dialling, Listener, Opening, Options, Transport
from ..stream import DEFAULT_BACKLOG, require_listening
from . import names, tuning
from .address import Place, Target, parse_binding, parse_remote, parse_target

if TYPE_CHECKING:
    from .names import SocketAddress

_FAMILIES: Final = (socket.AF_INET, socket.AF_INET6)


class TcpTransport(Transport):
    """Byte streams over IPv4 and IPv6, to this machine and to others."""

    scheme = "tcp"
    capabilities = Capabilities(Carries.STREAM)

    def check(self, address: str, *, binding: bool) -> str:
        """Accept ``INTERFACE:PORT`` to bind; ``HOST:PORT`` or ``SOURCE:PORT;HOST:PORT`` to connect.

        Whether there is such an interface, and where such a host is, turns out later.
        """
        if binding:
            parse_binding(address)
        else:
            parse_target(address)
        return address

    def lookup(
        self, address: str, options: Options, *, binding: bool
    ) -> Callable[[], Dialling] | None:
        """Look up host names, and nothing else: of the proxy where there is one."""
        family = names.choose_family(options)
        if binding:
            place = parse_binding(address)
            if names.find(place, family, local=True) is not None:
                return None
            return lambda: (str(names.look_up(place, family, local=True)), options)
        target = _first_stop(address, options)
        unknown = [
            place
            for place, local in ((target.place, False), (target.source, True))
            if place is not None and names.find(place, family, local=local) is None
        ]
        if not unknown:
            return None
        return lambda: _look_up_target(address, target, options, family)

    def listen(self, address: str, options: Options) -> Listener:
        """Listen on *address*, in which host names have been looked up.

        A port that was in use a moment ago may be used again at once, as in libzmq.
        """
        place = parse_binding(address)
        family = names.choose_family(options)
        found = _found(place, names.find(place, family, local=True))
        stream = _stream(found, options)
        try:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _bind(stream, found, place)
            stream.listen(int(options.get("BACKLOG", DEFAULT_BACKLOG)))
        except OSError:
            stream.close()
            raise
        return _listener(stream)

    def adopt(self, stream: socket.socket, options: Options) -> Listener:
        """Listen on a TCP socket that listens already; the address counts for nothing."""
        require_listening(stream, _FAMILIES, "a TCP socket")
        return _listener(stream)

    def dial(self, address: str, options: Options) -> socket.socket:
        """Begin to connect to *address*, or to the proxy; host names have been looked up."""
        target = _first_stop(address, options)
        family = names.choose_family(options)
        found = _found(target.place, names.find(target.place, family, local=False))
        stream = _stream(found, options)
        try:
            if target.source is not None:
                source = _found(target.source, names.find(target.source, family, local=True))
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                _bind(stream, source, target.source)
            number = stream.connect_ex(found.address)
            if number not in (0, errno.EINPROGRESS):
                raise OSError(number, f"{os.strerror(number)}: {target}")
        except OSError:
            stream.close()
            raise
        return stream

    def opening(self, address: str, options: Options) -> Opening | None:
        """Where SOCKS_PROXY is set, have the proxy connect us."""
        if not options.get("SOCKS_PROXY"):
            return None
        from .socks import SocksOpening

        return SocksOpening(
            parse_target(address).place,
            options.get("SOCKS_USERNAME") or b"",
            options.get("SOCKS_PASSWORD") or b"",
        )

    def opened(self, stream: socket.socket, options: Options, *, accepted: bool) -> str:
        """Keep out whom TCP_ACCEPT_FILTER does not let in; set the options of a connection."""
        name = stream.getpeername()
        peer = names.describe(name)
        if not accepted and name == stream.getsockname():
            # The system chose the very port that we dial as ours, and TCP let both ends meet.
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"nobody listens at {peer}")
        if accepted:
            filters: tuple[bytes, ...] = options.get("TCP_ACCEPT_FILTER", ())
            if filters and not _lets_in(peer.host, filters):
                raise PermissionError(
                    errno.EACCES, f"TCP_ACCEPT_FILTER does not let {peer.host} in"
                )
            tuning.mark(stream, options)
        tuning.tune(stream, options)
        return peer.host


def _first_stop(address: str, options: Options) -> Target:
    """Return what we connect to ourselves: the target, or the proxy on the way there.

    Raises OSError(EINVAL) for a SOCKS_PROXY that is none.
    """
    target = parse_target(address)
    proxy: bytes = options.get("SOCKS_PROXY") or b""
    if not proxy:
        return target
    try:
        place = parse_remote(proxy.decode("ascii"))
    except (ZMQError, UnicodeDecodeError) as error:
        raise OSError(errno.EINVAL, f"SOCKS_PROXY {proxy!r}: {error}") from error
    return Target(place, target.source)


def _look_up_target(
    address: str, target: Target, options: Options, family: socket.AddressFamily
) -> Dialling:
    """Return *address* and *options* with addresses instead of names, those that we connect to."""
    place, source = target
    if names.find(place, family, local=False) is None:
        place = names.look_up(place, family, local=False)
    if source is not None and names.find(source, family, local=True) is None:
        source = names.look_up(source, family, local=True)
    if options.get("SOCKS_PROXY"):
        through = {**options, "SOCKS_PROXY": str(place).encode()}
        return str(Target(parse_target(address).place, source)), through
    return str(Target(place, source)), options


def _found(place: Place, found: SocketAddress | None) -> SocketAddress:
    if found is None:
        raise OSError(errno.EINVAL, f"{place.host!r} has to be looked up before")
    return found


def _stream(found: SocketAddress, options: Options) -> socket.socket:
    stream = socket.socket(found.family, socket.SOCK_STREAM)
    try:
        stream.setblocking(False)
        tuning.prepare(stream, options)
        tuning.spare_pacing(stream, found.address[0])
    except OSError:
        stream.close()
        raise
    return stream


def _bind(stream: socket.socket, found: SocketAddress, place: Place) -> None:
    try:
        stream.bind(found.address)
    except OSError as error:
        number = error.errno or errno.EADDRNOTAVAIL
        raise OSError(number, f"{os.strerror(number)}: {place}") from error


def _listener(stream: socket.socket) -> Listener:
    stream.setblocking(False)
    return Listener(stream, str(names.describe(stream.getsockname())), stream.close)


def _lets_in(host: str, filters: tuple[bytes, ...]) -> bool:
    """Whether one of *filters* lets the peer at *host* in; a mapped address counts as IPv4."""
    import ipaddress  # takes a while to load, and few set filters

    address = ipaddress.ip_address(host)
    mapped = getattr(address, "ipv4_mapped", None)
    networks = [ipaddress.ip_network(each.decode("ascii"), strict=False) for each in filters]
    return any(address in network for network in networks) or (
        mapped is not None and any(mapped in network for network in networks)
    )
