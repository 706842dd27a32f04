"""A connecting endpoint in a worker: dials until somebody answers, and again after a loss."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable
from typing import Final

from ..transports.interface import Transport
from .commands import Attached, Connect, Linger, Lost, Offer, Packet, PeerEnd, Refused, Settled
from .hosting import HostedSocket
from .reactor import Timer
from .reconnect import Backoff
from .session import OfferedPipe, Session, Workplace

_FIRST_RETRIES_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02)
"""Pauses after a fresh endpoint's first failures: a peer started together with us is there soon."""


_NOBODY_THERE: Final = (errno.ECONNREFUSED, errno.ENOENT, errno.EAGAIN)


class ConnectingEndpoint:
    """One connect() of the application.

    *tell* sends an event to it; *done* takes the endpoint away.
    """

    def __init__(
        self,
        workplace: Workplace,
        transport: Transport,
        connect: Connect,
        hosted: HostedSocket,
        tell: Callable[[Packet, tuple[int, ...]], None],
        done: Callable[[ConnectingEndpoint], None],
    ) -> None:
        self.key = connect.endpoint
        self.hosted = hosted
        self._workplace = workplace
        self._reactor = workplace.reactor
        self._transport = transport
        self._connect = connect
        self._tell = tell
        self._done = done
        self._pipe: OfferedPipe | None = OfferedPipe(connect.segment, connect.token, connect.bit)
        self._backoff = Backoff(connect.options)
        self._eager = [] if "RECONNECT_IVL" in connect.options else list(_FIRST_RETRIES_S)
        self._backoff.reset()
        self._session: Session | None = None
        self._retry: Timer | None = None
        self._failure: int | None = None
        self._lingering = False
        self._insists = False  # something that lingers is still to be brought to a next far end
        self._linger_ends: Timer | None = None
        self._dial()

    # -- what the application asks -----------------------------------------------------------------

    def offer(self, packet: Offer) -> None:
        """Take the fresh pipe for the next far end, and go looking for it."""
        self._pipe = OfferedPipe(packet.segment, packet.token, self._connect.bit)
        self._dial_later()

    def linger(self, packet: Linger) -> None:
        """The socket is closed: finish in time what it has said and nobody has yet."""
        session = self._session
        relays = session is not None and session.is_relayed
        if (session is not None and session.is_taken) or not (relays or packet.unread):
            self._settle(True)
            return
        self._lingering = True
        self._insists = packet.unread
        if session is not None:
            session.finish()
        if packet.timeout_ms >= 0:
            self._linger_ends = self._reactor.call_later(
                packet.timeout_ms / 1000, lambda: self._settle(False)
            )

    def hang_up(self, token: bytes) -> bool:
        """End the connection behind the pipe *token*, if it is ours, as if it had been lost."""
        session = self._session
        if session is None or session.token != token or not session.is_ready:
            return False
        session.close()
        self.session_ended(session, "our side hung up", was_ready=True)
        return True

    def close(self) -> None:
        """End everything, telling nobody."""
        for timer in (self._retry, self._linger_ends):
            if timer is not None:
                timer.cancel()
        if self._session is not None:
            self._session.close()
            self._session = None

    def _settle(self, delivered: bool) -> None:
        self.close()
        self._done(self)
        self._tell(Settled(self.key, delivered), ())

    # -- dialling ----------------------------------------------------------------------------------

    def _dial(self) -> None:
        self._retry = None
        if self._pipe is None:
            return
        connect = self._connect
        try:
            stream = self._transport.dial(connect.address, connect.options)
        except OSError as error:
            self._note_failure(error)
            self._dial_later()
            return
        try:
            self._session = Session(
                self._workplace,
                stream,
                self.hosted,
                connect.options,
                connect.socket_type,
                self,
                shares=self._transport.capabilities.shared_memory,
                offered=self._pipe,
            )
        except OSError as error:
            with contextlib.suppress(OSError):
                stream.close()
            self._note_failure(error)
            self._dial_later()

    def _note_failure(self, error: OSError) -> None:
        """Tell the application what is wrong, once, unless it is that nobody is there yet."""
        if error.errno not in (*_NOBODY_THERE, self._failure):
            self._tell(Refused(self.hosted.key, self.key, f"cannot connect: {error}"), ())
        self._failure = error.errno

    def _dial_later(self) -> None:
        pause = self._eager.pop(0) if self._eager else self._backoff.next_pause()
        if pause is not None and self._retry is None:
            self._retry = self._reactor.call_later(pause, self._dial)

    # -- what the session says (SessionOwner) ------------------------------------------------------

    def session_ready(self, session: Session, peer: PeerEnd, doorbell_fd: int) -> None:
        """Tell the application that its pipe has a far end."""
        self._backoff.reset()
        self._eager.clear()
        attached = Attached(self.hosted.key, self.key, peer, session.metadata)
        self._tell(attached, (doorbell_fd,))
        self._pipe = None
        if self._lingering:
            session.finish()

    def session_taken(self, session: Session) -> None:
        """A lingering endpoint has done its work: what was in the pipe is in other hands."""
        if self._lingering:
            self._settle(True)

    def session_ended(self, session: Session, reason: str, *, was_ready: bool) -> None:
        """Dial again: with the same pipe when nobody took it, else when there is a fresh one."""
        self._session = None
        if self._lingering and not self._insists:
            self._settle(True)
        elif was_ready and self._lingering:
            # Its application has no more to say: the next one gets what this one has left of it.
            self._pipe = OfferedPipe(
                session.segment, session.token, self._connect.bit, session.pipe
            )
            self._dial_later()
        elif was_ready:
            self._tell(Lost(self.hosted.key, self.key, session.token, reason), ())
        else:
            self._tell(Refused(self.hosted.key, self.key, reason), ())
            self._dial_later()
