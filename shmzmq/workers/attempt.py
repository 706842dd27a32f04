"""One attempt to connect, from an address to a stream on which the peer can be spoken to.

    look up  →  dial  →  wait until connected  →  say the transport's opening  →  opened
    (names)                                       (a proxy's handshake)

Any step may fail, and CONNECT_TIMEOUT bounds them all together. Until the end the socket is ours.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .reactor import READ, WRITE, Reactor, Timer

if TYPE_CHECKING:
    from ..transports.interface import Dialling, Opening, Options, Transport
    from .lookup import Lookups


class Attempt:
    """An attempt to reach *address*; `start` it.

    Then *on_open* is called with the connected socket and the peer's address, or *on_failure* with
    what went wrong: once, perhaps before `start` returns, and not after `close`. *on_delay* is
    called before that when the peer's machine has to answer first.
    """

    def __init__(
        self,
        reactor: Reactor,
        lookups: Lookups,
        transport: Transport,
        on_open: Callable[[socket.socket, str], None],
        on_failure: Callable[[OSError], None],
        on_delay: Callable[[], None] | None = None,
    ) -> None:
        self._reactor = reactor
        self._lookups = lookups
        self._transport = transport
        self._on_open = on_open
        self._on_failure = on_failure
        self._on_delay = on_delay
        self.fd = -1
        """The number that the socket has or had; -1: it was not to be had, or is not known."""
        self.has_dialled = False
        self._over = False
        self._where: Dialling = ("", {})
        self._stream: socket.socket | None = None
        self._opening: Opening | None = None
        self._unsent = b""
        self._timer: Timer | None = None

    def start(self, address: str, options: Options) -> None:
        """Begin. Does not block."""
        self._limit_time(options.get("CONNECT_TIMEOUT", 0), "no connection")
        try:
            seek = self._transport.lookup(address, options, binding=False)
            if seek is None:
                self._dial((address, options))
            else:
                self._lookups.run(seek, self._looked_up)
        except OSError as error:
            self._fail(error)

    def close(self) -> None:
        """Give up, telling nobody."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._stream is not None:
            self._reactor.forget(self._stream.fileno())
            self._stream.close()
            self._stream = None

    # -- the steps ---------------------------------------------------------------------------------

    def _looked_up(self, found: Any) -> None:
        if self._over:
            return
        if isinstance(found, OSError):
            self._fail(found)
            return
        try:
            self._dial(found)
        except OSError as error:
            self._fail(error)

    def _dial(self, where: Dialling) -> None:
        self._where = where
        self.has_dialled = True
        self._stream = self._transport.dial(*where)
        self.fd = self._stream.fileno()
        if self._on_delay is not None and self._stream.family != socket.AF_UNIX:
            self._on_delay()  # TCP over loopback may be connected by now, but not at once
        if _is_connected(self._stream):  # a Unix socket is, at once; so may loopback be
            self._connected(self._stream)
        else:
            self._reactor.watch(self._stream.fileno(), WRITE, self._on_outcome)

    def _on_outcome(self, _: int) -> None:
        stream = self._stream
        assert stream is not None, "it is watched only while it is there"
        try:
            number = stream.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if number:
                raise OSError(number, os.strerror(number))
            if _is_connected(stream):
                self._connected(stream)
        except OSError as error:
            self._fail(error)

    def _connected(self, stream: socket.socket) -> None:
        opening = self._transport.opening(*self._where)
        if opening is None:
            self._open(stream)
            return
        self._opening = opening
        if self._timer is None:  # else a proxy that says nothing would keep us for ever
            self._limit_time(self._where[1].get("HANDSHAKE_IVL", 30_000), "no answer of the proxy")
        self._go_on(stream, opening)

    def _on_opening(self, events: int) -> None:
        stream, opening = self._stream, self._opening
        assert stream is not None, "it is watched only while it is there"
        assert opening is not None, "this is called while it goes on"
        try:
            if events & ~WRITE:
                data = stream.recv(opening.wanted)
                if not data:
                    raise ConnectionResetError(
                        errno.ECONNRESET, "the peer ended the connection before it was open"
                    )
                opening.receive_data(data)
            self._go_on(stream, opening)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(error)

    def _go_on(self, stream: socket.socket, opening: Opening) -> None:
        """Send what the opening has to say, and be called again when there is more to do."""
        self._unsent += opening.data_to_send()
        if self._unsent:
            with contextlib.suppress(BlockingIOError):
                self._unsent = self._unsent[stream.send(self._unsent) :]
        if not self._unsent and not opening.wanted:
            self._open(stream)
            return
        wanted = READ if opening.wanted else 0
        self._reactor.watch(
            stream.fileno(), wanted | (WRITE if self._unsent else 0), self._on_opening
        )

    def _open(self, stream: socket.socket) -> None:
        peer = self._transport.opened(stream, self._where[1], accepted=False)
        self._reactor.forget(stream.fileno())
        self._stream = None  # it is the callee's now
        self.close()
        self._on_open(stream, peer)

    def _fail(self, error: OSError) -> None:
        if not self._over:
            self.close()
            self._on_failure(error)

    def _limit_time(self, limit_ms: int, what: str) -> None:
        if limit_ms > 0:
            late = TimeoutError(errno.ETIMEDOUT, f"{what} within {limit_ms} ms")
            self._timer = self._reactor.call_later(limit_ms / 1000, lambda: self._fail(late))


def _is_connected(stream: socket.socket) -> bool:
    try:
        stream.getpeername()
    except OSError as error:
        if error.errno != errno.ENOTCONN:
            raise
        return False
    return True
