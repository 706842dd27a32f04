"""What a host or an interface stands for: addresses at once, names by asking the system.

Only `look_up` asks name servers, and so may block for long; everything else here answers at once.
With IPv6 switched on a socket is always an IPv6 one, and IPv4 addresses are mapped (``::ffff:…``),
as in libzmq.
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, NamedTuple

from .address import ANY, Place, is_ipv6

if TYPE_CHECKING:
    from ..interface import Options


class SocketAddress(NamedTuple):
    """An address as the system takes it."""

    family: socket.AddressFamily
    address: tuple[str, int] | tuple[str, int, int, int]


def choose_family(options: Options) -> socket.AddressFamily:
    """Return the address family for new sockets: IPv6 if the option says so and the kernel can."""
    if options.get("IPV6", 0):
        try:
            socket.socket(socket.AF_INET6, socket.SOCK_STREAM).close()
        except OSError as error:
            if error.errno != errno.EAFNOSUPPORT:
                raise
        else:
            return socket.AF_INET6
    return socket.AF_INET


def find(place: Place, family: socket.AddressFamily, *, local: bool) -> SocketAddress | None:
    """Return the address of *place*, None when it has a name that must be looked up.

    Where it is *local*, ``*`` and the names of interfaces count too. Raises OSError: ENODEV for
    an interface without an address of this family, EINVAL for a zone that there is not.
    """
    if local and place.host == ANY:
        return SocketAddress(family, _address("::" if _is_v6(family) else "0.0.0.0", place, family))
    if is_ipv6(place.host) and not _is_v6(family):
        raise OSError(
            errno.ENODEV if local else errno.EAFNOSUPPORT,
            f"{place.host} is an IPv6 address, and the option IPV6 is 0",
        )
    numeric = _ask(place, family, local=local, names=False)
    if numeric is None and local:
        return _find_interface(place, family)
    return numeric


def look_up(place: Place, family: socket.AddressFamily, *, local: bool) -> Place:
    """Return *place* with the host's address in place of its name. Blocks while servers are asked.

    Raises OSError: ENODEV for a name to bind to, EHOSTUNREACH for one to connect to.
    """
    found = _ask(place, family, local=local, names=True)
    if found is None:
        kind = "IPv6" if _is_v6(family) else "IPv4"
        expected = "neither an interface nor a host" if local else "no host"
        raise OSError(
            errno.ENODEV if local else errno.EHOSTUNREACH,
            f"{place.host!r} is {expected} that is known to have an {kind} address",
        )
    return Place(found.address[0].partition("%")[0], place.port, place.zone)


def describe(name: tuple[str, int] | tuple[str, int, int, int]) -> Place:
    """Return the place that an address of the system's (getsockname, getpeername) stands for."""
    host, _, zone = name[0].partition("%")
    if not zone and len(name) == 4 and name[3]:
        zone = _interface_name(name[3])
    return Place(host, name[1], zone)


def _is_v6(family: socket.AddressFamily) -> bool:
    return family == socket.AF_INET6


def _ask(
    place: Place, family: socket.AddressFamily, *, local: bool, names: bool
) -> SocketAddress | None:
    """Return what getaddrinfo says first, None when it knows no such host."""
    flags = 0 if names else socket.AI_NUMERICHOST
    if local:
        flags |= socket.AI_PASSIVE
    if _is_v6(family):
        flags |= socket.AI_V4MAPPED
    try:
        found = socket.getaddrinfo(
            place.host, place.port, family, socket.SOCK_STREAM, socket.IPPROTO_TCP, flags
        )
    except socket.gaierror as error:
        if error.errno == socket.EAI_MEMORY:
            raise OSError(errno.ENOMEM, f"looking up {place.host!r}: {error.strerror}") from error
        return None
    except UnicodeError:  # no host name can be made of it
        return None
    return SocketAddress(family, _address(str(found[0][4][0]), place, family))


def _address(
    host: str, place: Place, family: socket.AddressFamily
) -> tuple[str, int] | tuple[str, int, int, int]:
    if not _is_v6(family):
        return host, place.port
    host, _, zone = host.partition("%")
    return host, place.port, 0, _zone_number(place.zone or zone)


def _zone_number(zone: str) -> int:
    """Return the number of an interface that is given by its name or number; 0 for none."""
    if not zone:
        return 0
    try:
        return socket.if_nametoindex(zone)
    except OSError:
        if zone.isascii() and zone.isdigit() and int(zone):
            return int(zone)
        raise OSError(errno.EINVAL, f"{zone!r}, behind the %, is no interface") from None


def _interface_name(number: int) -> str:
    try:
        return socket.if_indextoname(number)
    except OSError:
        return str(number)


def _find_interface(place: Place, family: socket.AddressFamily) -> SocketAddress | None:
    """Return the first address of the interface that *place* names, None when it names none."""
    if place.host not in (name for _, name in socket.if_nameindex()):
        return None
    import psutil  # type: ignore[import-untyped]  # takes a while to load, and few name interfaces

    for known in psutil.net_if_addrs().get(place.host, ()):
        if known.family == family:
            return SocketAddress(family, _address(known.address, place, family))
    raise OSError(
        errno.ENODEV,
        f"the interface {place.host!r} has no {'IPv6' if _is_v6(family) else 'IPv4'} address",
    )
