"""What the socket options ask of the kernel's TCP sockets.

Those that matter before a connection is there are set when the socket is made (`prepare`), the
others when it is (`tune`), as libzmq does. What the system refuses is an OSError that names it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..interface import Options

# Counted in probes and seconds, by the options and by tcp(7) alike.
_KEEPALIVE: Final = (
    ("TCP_KEEPALIVE_CNT", socket.TCP_KEEPCNT),
    ("TCP_KEEPALIVE_IDLE", socket.TCP_KEEPIDLE),
    ("TCP_KEEPALIVE_INTVL", socket.TCP_KEEPINTVL),
)
_SO_BUSY_POLL: Final = 46  # asm-generic/socket.h; Python has no name for it
_LOOPBACK: Final = ("127.", "::ffff:127.")
_PACING: Final = b"bbr"  # and bbr2, ...
_PLAIN: Final = b"reno"  # every system has it, and lets everybody choose it
_NAME_MOST: Final = 16  # TCP_CA_NAME_MAX


def prepare(stream: socket.socket, options: Options) -> None:
    """Set what has to be set before *stream* is bound or connects."""
    if stream.family == socket.AF_INET6:
        _set(stream, socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0, "IPV6")
    mark(stream, options)
    device: bytes = options.get("BINDTODEVICE") or b""
    if device:
        _set(stream, socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device, "BINDTODEVICE")
    for name, option in (("SNDBUF", socket.SO_SNDBUF), ("RCVBUF", socket.SO_RCVBUF)):
        size = options.get(name, -1)
        if size >= 0:
            _set(stream, socket.SOL_SOCKET, option, size, name)


def spare_pacing(stream: socket.socket, host: str) -> None:
    """Where *host* is this machine, have *stream* not send by the clock, as BBR would.

    There is no network between its ends that could be congested, but each segment would wait for
    its timer. To be called before *stream* is connected or listens: TCP does not stop pacing.
    """
    if host != "::1" and not host.startswith(_LOOPBACK):
        return
    with contextlib.suppress(OSError):  # a system without a choice paces or it does not
        chosen = stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, _NAME_MOST)
        if chosen.startswith(_PACING):
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, _PLAIN)


def mark(stream: socket.socket, options: Options) -> None:
    """Have packets of *stream* carry TOS and PRIORITY."""
    tos = options.get("TOS", 0)
    if tos:
        _set(stream, socket.IPPROTO_IP, socket.IP_TOS, tos, "TOS")
        if stream.family == socket.AF_INET6:
            _set(stream, socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos, "TOS")
    priority = options.get("PRIORITY", 0)
    if priority:
        _set(stream, socket.SOL_SOCKET, socket.SO_PRIORITY, priority, "PRIORITY")


def tune(stream: socket.socket, options: Options) -> None:
    """Set what counts on a connection: no delay, keep-alives, when silence ends it."""
    _set(stream, socket.IPPROTO_TCP, socket.TCP_NODELAY, 1, "TCP_NODELAY")
    keep_alive = options.get("TCP_KEEPALIVE", -1)
    if keep_alive != -1:
        _set(stream, socket.SOL_SOCKET, socket.SO_KEEPALIVE, keep_alive, "TCP_KEEPALIVE")
        for name, option in _KEEPALIVE:
            value = options.get(name, -1)
            if value != -1:
                _set(stream, socket.IPPROTO_TCP, option, value, name)
    longest = options.get("TCP_MAXRT", 0)
    if longest:
        _set(stream, socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, longest, "TCP_MAXRT")
    busy = options.get("BUSY_POLL", 0)
    if busy:
        _set(stream, socket.SOL_SOCKET, _SO_BUSY_POLL, busy, "BUSY_POLL")


def _set(stream: socket.socket, level: int, option: int, value: int | bytes, name: str) -> None:
    try:
        stream.setsockopt(level, option, value)
    except OSError as error:
        number = error.errno or errno.EINVAL
        text = f"the system does not take {name} = {value!r}: {os.strerror(number)}"
        raise OSError(number, text) from error
