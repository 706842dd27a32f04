"""The addresses of tcp endpoints as the user writes them (zmq_tcp(7)).

To bind: ``INTERFACE:PORT`` with an interface's name, an address, a host name or ``*``. To connect:
``HOST:PORT``, or ``SOURCE:PORT;HOST:PORT`` to come from a certain address. IPv6 addresses may stand
in brackets. Nothing here asks the system for anything.
"""

from __future__ import annotations

import errno
import re
import socket
from typing import Final, NamedTuple, NoReturn

from shmzmq.errors import ZMQError

ANY: Final = "*"
_LARGEST_PORT: Final = 65535
_HOST_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_FORM: Final = {
    True: "INTERFACE:PORT with an interface, an address, a host name or *, and a port, * or 0",
    False: "HOST:PORT, or SOURCE:PORT;HOST:PORT",
}


class Place(NamedTuple):
    """A host and a port. Its text is as in addresses; IPv6 addresses get brackets."""

    host: str  # `ANY` for all interfaces
    port: int  # 0: the system chooses
    zone: str = ""  # of an IPv6 address: behind the %, an interface's name or number

    def __str__(self) -> str:
        host = f"{self.host}%{self.zone}" if self.zone else self.host
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


class Target(NamedTuple):
    """What to connect to, and the local address to come from, None: any."""

    place: Place
    source: Place | None = None

    def __str__(self) -> str:
        return str(self.place) if self.source is None else f"{self.source};{self.place}"


def parse_binding(address: str) -> Place:
    """Take an address to bind apart.

    Raises ZMQError: EINVAL for a wrong form or port, ENODEV where no interface is named.
    """
    if ";" in address:
        _refuse(address, "has a source address, which only connect takes", binding=True)
    place = _parse_place(address, address, binding=True, port_by_system=True)
    if not place.host:
        raise ZMQError(errno.ENODEV, f"{address!r} names no interface; expected {_FORM[True]}")
    return place


def parse_target(address: str) -> Target:
    """Take an address to connect to apart. Raises ZMQError(EINVAL)."""
    before, separator, behind = address.rpartition(";")
    place = _parse_remote(behind, address)
    if not separator:
        return Target(place)
    source = _parse_place(before, address, binding=False, port_by_system=True)
    _check_host(address, source.host)
    return Target(place, source)


def parse_remote(address: str) -> Place:
    """Take ``HOST:PORT`` apart, with neither wildcards nor a source. Raises ZMQError(EINVAL)."""
    return _parse_remote(address, address)


def _parse_remote(text: str, address: str) -> Place:
    place = _parse_place(text, address, binding=False, port_by_system=False)
    _check_host(address, place.host)
    return place


def _parse_place(text: str, address: str, *, binding: bool, port_by_system: bool) -> Place:
    """Take *text*, a part of *address*, apart.

    Without *port_by_system* a wildcard for a port is an error. Raises ZMQError(EINVAL).
    """
    host, colon, port_text = text.rpartition(":")
    if not colon:
        _refuse(address, "has no port", binding=binding)
    if port_text == "*":
        port = 0
    elif port_text.isascii() and port_text.isdigit() and int(port_text) <= _LARGEST_PORT:
        port = int(port_text)
    else:
        reason = f"has the port {port_text!r}, which is no number from 0 to {_LARGEST_PORT}"
        _refuse(address, reason, binding=binding)
    if port == 0 and not port_by_system:
        _refuse(address, f"has the port {port_text}, to which nobody can connect", binding=binding)
    if host.startswith("[") or host.endswith("]"):
        if not (host.startswith("[") and host.endswith("]")):
            _refuse(address, "has one bracket without the other", binding=binding)
        host = host[1:-1]
    host, percent, zone = host.rpartition("%") if "%" in host else (host, "", "")
    if percent and not (zone and is_ipv6(host)):
        _refuse(address, "has a % that is not between an IPv6 address and a zone", binding=binding)
    return Place(host, port, zone)


def is_ipv6(host: str) -> bool:
    """Whether *host* is an IPv6 address, without brackets and zone."""
    try:
        socket.inet_pton(socket.AF_INET6, host)
    except (OSError, ValueError):
        return False
    return True


def _check_host(address: str, host: str) -> None:
    """Raise ZMQError(EINVAL) unless *host* is an address or may be a host name."""
    if host == ANY:
        _refuse(address, "has a wildcard for a host, which only bind takes", binding=False)
    if not (is_ipv6(host) or _HOST_NAME.fullmatch(host)):
        _refuse(address, f"has {host!r} where a host should be", binding=False)


def _refuse(address: str, reason: str, *, binding: bool) -> NoReturn:
    raise ZMQError(errno.EINVAL, f"the tcp address {address!r} {reason}; expected {_FORM[binding]}")
