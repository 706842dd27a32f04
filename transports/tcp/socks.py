"""The client's side of SOCKS5 (RFC 1928), with user name and password (RFC 1929), without I/O.

    client                                   proxy
      05, methods on offer            →
                                      ←   05, method chosen
      01, user name, password         →                        only if that method was chosen
                                      ←   01, 00: welcome
      05, connect, address and port   →
                                      ←   05, 00: connected, an address and port that say nothing

It asks for exactly the octets of the next answer, so whatever the far end says through the proxy
stays in the stream for whoever reads it next.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Generator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .address import Place

_VERSION: Final = 5
_LOGIN_VERSION: Final = 1
_NO_LOGIN: Final = 0
_LOGIN: Final = 2
_NO_METHOD: Final = 0xFF
_CONNECT: Final = 1
_IPV4: Final = 1
_NAME: Final = 3
_IPV6: Final = 4
_ADDRESS_SIZES: Final = {_IPV4: 4, _IPV6: 16}
_PORT_SIZE: Final = 2
_LONGEST: Final = 255  # of a host name, a user name and a password: each has one octet of length

_REFUSALS: Final = {
    1: (errno.ECONNABORTED, "it failed"),
    2: (errno.EACCES, "its rules forbid it"),
    3: (errno.ENETUNREACH, "the network cannot be reached"),
    4: (errno.EHOSTUNREACH, "the host cannot be reached, or its name is not known"),
    5: (errno.ECONNREFUSED, "the host refused the connection"),
    6: (errno.ETIMEDOUT, "time to live expired"),
    7: (errno.EOPNOTSUPP, "it does not know the command"),
    8: (errno.EAFNOSUPPORT, "it does not know this kind of address"),
}


class SocksOpening:
    """Asks the proxy at the far end for a connection to *place* (`interface.Opening`)."""

    def __init__(self, place: Place, user_name: bytes = b"", password: bytes = b"") -> None:
        self._place = place
        self._user_name = user_name
        self._password = password
        self._unsent = b""
        self._answer = b""
        self._steps = self._converse()
        self._wanted = next(self._steps)

    @property
    def wanted(self) -> int:
        """How many octets of the proxy are still to come before the next step; 0: done."""
        return self._wanted - len(self._answer)

    def data_to_send(self) -> bytes:
        """Return what is to be sent now; it is not returned again."""
        data, self._unsent = self._unsent, b""
        return data

    def receive_data(self, data: bytes) -> None:
        """Take what the proxy sent, at most `wanted` octets.

        Raises OSError when the proxy refuses: ECONNREFUSED, EHOSTUNREACH, EACCES, EPROTO, …
        """
        if len(data) > self.wanted:
            raise ValueError(f"{len(data)} octets were given, {self.wanted} are wanted")
        self._answer += data
        if not self.wanted:
            answer, self._answer = self._answer, b""
            try:
                self._wanted = self._steps.send(answer)
            except StopIteration:
                self._wanted = 0

    # -- the conversation: each yield is the number of octets to come, and gives them --------------

    def _converse(self) -> Generator[int, bytes, None]:
        method = _LOGIN if self._user_name else _NO_LOGIN
        self._unsent = bytes((_VERSION, 1, method))
        version, chosen = yield 2
        if version != _VERSION:
            raise OSError(errno.EPROTO, f"no SOCKS5 proxy: it answers with version {version}")
        if chosen == _NO_METHOD:
            needed = "the user name and password" if self._user_name else "a login without name"
            raise OSError(errno.EACCES, f"the SOCKS proxy does not take {needed}")
        if chosen != method:
            raise OSError(errno.EPROTO, f"the SOCKS proxy chose method {chosen}, not {method}")
        if chosen == _LOGIN:
            yield from self._log_in()
        yield from self._request()

    def _log_in(self) -> Generator[int, bytes, None]:
        self._unsent = bytes((_LOGIN_VERSION,)) + _counted(self._user_name, "user name")
        self._unsent += _counted(self._password, "password")
        _, status = yield 2
        if status:
            raise OSError(
                errno.EACCES, f"the SOCKS proxy refused the user name or password ({status})"
            )

    def _request(self) -> Generator[int, bytes, None]:
        self._unsent = bytes((_VERSION, _CONNECT, 0)) + _encode_place(self._place)
        version, reply, _, kind = yield 4
        if version != _VERSION:
            raise OSError(errno.EPROTO, f"no SOCKS5 proxy: it answers with version {version}")
        if reply:
            number, reason = _REFUSALS.get(reply, (errno.EPROTO, "it says something unknown"))
            raise OSError(
                number, f"the SOCKS proxy did not connect to {self._place}: {reason} ({reply})"
            )
        if kind == _NAME:
            (size,) = yield 1
        elif kind in _ADDRESS_SIZES:
            size = _ADDRESS_SIZES[kind]
        else:
            raise OSError(errno.EPROTO, f"the SOCKS proxy sent an address of kind {kind}")
        yield size + _PORT_SIZE


def _encode_place(place: Place) -> bytes:
    """Return kind, address and port. A name goes as it is: the proxy looks it up."""
    port = place.port.to_bytes(_PORT_SIZE, "big")
    for kind, family in ((_IPV4, socket.AF_INET), (_IPV6, socket.AF_INET6)):
        try:
            return bytes((kind,)) + socket.inet_pton(family, place.host) + port
        except OSError:
            continue
    return bytes((_NAME,)) + _counted(place.host.encode(), "host name") + port


def _counted(text: bytes, what: str) -> bytes:
    if len(text) > _LONGEST:
        raise OSError(
            errno.ENAMETOOLONG,
            f"a {what} of {len(text)} octets; SOCKS takes at most {_LONGEST}",
        )
    return bytes((len(text),)) + text
