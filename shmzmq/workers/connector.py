"""A connecting endpoint in a worker: dials until somebody answers, and again after a loss."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..constants import Event
from ..shm import segment as segments
from ..shm.liveness import ProcessId, is_alive
from ..transports.interface import Transport
from .announcer import UNHEARD, Announcer
from .attempt import Attempt
from .commands import (
    Attached,
    Connect,
    GivenUp,
    Linger,
    Lost,
    Offer,
    Packet,
    PeerEnd,
    Refused,
    SetMarks,
    Settled,
)
from .hosting import HostedSocket
from .kept import KeptPipe, KeptPipes
from .reactor import Timer
from .reconnect import Backoff
from .session import OfferedPipe, Session, Workplace

if TYPE_CHECKING:
    import socket

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
        self._pipe: OfferedPipe | None = None
        if connect.segment:
            self._pipe = OfferedPipe(connect.segment, connect.token, connect.bit)
        self._kept = KeptPipes(workplace.reactor, self._kept_lost)
        self._backoff = Backoff(connect.options)
        self._eager = [] if "RECONNECT_IVL" in connect.options else list(_FIRST_RETRIES_S)
        self._backoff.reset()
        self._attempt: Attempt | None = None
        self._session: Session | None = None
        self._retry: Timer | None = None
        self._failure: int | None = None
        self._given_up = False  # nobody who can be spoken with is there
        self._lingering = False
        # Token of a pipe whose far end has gone without a word that it has it, and may never have
        # had. The names go once our application has drawn back what it wrote, or wants no more.
        self._untaken: bytes | None = None
        self._insists = False  # something that lingers is still to be brought to a next far end
        self._linger_ends: Timer | None = None
        self.announcer = Announcer(hosted, tell, f"{connect.scheme}://{connect.address}")
        self._dial()

    # -- what the application asks -----------------------------------------------------------------

    def offer(self, packet: Offer) -> None:
        """Take the fresh pipe for the next far end, and go looking for it."""
        self._untaken = None
        self._pipe = OfferedPipe(packet.segment, packet.token, self._connect.bit)
        self._dial_later()

    def keep(self, pipe: KeptPipe) -> None:
        """The pipe has its far end, and only the link is down: look for that one."""
        self._kept.keep(pipe)
        self._dial_later()

    def set_marks(self, packet: SetMarks) -> None:
        """Have the pipe, if we relay it, go by these high water marks."""
        self._connect.options.update(SNDHWM=packet.send_hwm, RCVHWM=packet.receive_hwm)
        if self._session is not None:
            self._session.marks_changed()

    def linger(self, packet: Linger) -> None:
        """Nothing more will be said: finish in time what was said and nobody has yet."""
        if self._given_up:
            self._settle(False)
            return
        session = self._session
        relays = session is not None and session.is_relayed
        is_taken = self._kept or (session is not None and session.is_taken)
        if is_taken or not (relays or packet.unread):
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
        kept = self._kept.take(token)
        if kept is not None:
            self._give_kept_up(kept, "our side hung up")
            return True
        if session is None or session.token != token or not session.is_ready:
            return False
        session.close()
        self._session = None
        self.announcer.say(Event.DISCONNECTED, session.fd)
        self._tell_lost(session, "our side hung up")
        return True

    def close(self) -> None:
        """End everything, telling nobody."""
        for timer in (self._retry, self._linger_ends):
            if timer is not None:
                timer.cancel()
        if self._attempt is not None:
            self._attempt.close()
            self._say_closed(self._attempt)
            self._attempt = None
        if self._session is not None:
            self._note_untaken(self._session)
            self._session.close()
            self.announcer.say(UNHEARD, self._session.fd)
            self._session.release_pipe()
            self._session = None
        elif self._pipe is not None and self._pipe.held is not None:
            self._workplace.exchange.let_go(self._pipe.held)
        application = ProcessId(*self.hosted.application)
        # What a dead one wrote is for the far end, which may have it all the same. Who that is
        # stands in the segments: the sweep takes them away once that one has died, too.
        if self._untaken is not None and is_alive(application):
            segments.unlink_all_of(application, self._untaken)
        self._pipe = self._untaken = None
        self._kept.end()

    def _note_untaken(self, session: Session) -> None:
        """The connection is over; see what becomes of its pipe's names."""
        if session.is_ready and not session.is_relayed and not session.is_taken:
            self._untaken = session.token

    def _settle(self, delivered: bool) -> None:
        self.close()
        self._done(self)
        self._tell(Settled(self.key, delivered), ())

    # -- dialling ----------------------------------------------------------------------------------

    def _dial(self) -> None:
        self._retry = None
        if not (self._pipe or self._kept) or self._attempt or self._session:
            return
        self._attempt = Attempt(
            self._reactor,
            self._workplace.lookups,
            self._transport,
            self._begin_session,
            self._failed,
            lambda: self.announcer.say(Event.CONNECT_DELAYED, errno.EINPROGRESS),
        )
        self._attempt.start(self._connect.address, self._connect.options)

    def _begin_session(self, stream: socket.socket, peer_address: str) -> None:
        self._attempt = None
        self.announcer.say(Event.CONNECTED, stream.fileno())
        connect = self._connect
        kept = next(iter(self._kept), None)
        if kept is None and self._pipe is None:
            self.announcer.say(UNHEARD, stream.fileno())
            stream.close()  # what it was for has gone meanwhile
            return
        try:
            self._session = Session(
                self._workplace,
                stream,
                self.hosted,
                connect.options,
                connect.socket_type,
                self,
                peer_address=peer_address,
                shares=self._transport.capabilities.shared_memory,
                offered=self._pipe,
                kept=kept,
            )
        except OSError as error:
            self.announcer.say(Event.DISCONNECTED, stream.fileno())
            with contextlib.suppress(OSError):
                stream.close()
            self._failed(error)
            return
        self._session.start()

    def _failed(self, error: OSError) -> None:
        """The attempt came to nothing: try again later."""
        if self._attempt is not None:
            self._say_closed(self._attempt)
            self._attempt = None
        self._note_failure(error)
        self._dial_later()

    def _say_closed(self, attempt: Attempt) -> None:
        if attempt.has_dialled:
            self.announcer.say(Event.CLOSED, attempt.fd)

    def _note_failure(self, error: OSError) -> None:
        """Tell the application what is wrong, once, unless it is that nobody is there yet."""
        if error.errno not in (*_NOBODY_THERE, self._failure):
            self._tell(Refused(self.hosted.key, self.key, f"cannot connect: {error}"), ())
        self._failure = error.errno

    def _dial_later(self) -> None:
        pause = self._eager.pop(0) if self._eager else self._backoff.next_pause()
        if pause is not None and self._retry is None:
            self._retry = self._reactor.call_later(pause, self._dial)
            self.announcer.say(Event.CONNECT_RETRIED, round(pause * 1000))

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

    def find_kept(self, token: bytes) -> KeptPipe | None:
        """Only whoever connected asks for a link."""
        return None

    def session_cut(self, session: Session, pipe: KeptPipe) -> None:
        """Look for the far end's next worker."""
        self._note_untaken(session)
        self._session = None
        self.keep(pipe)

    def _kept_lost(self, pipe: KeptPipe) -> None:
        self._give_kept_up(pipe, "the peer has died")

    def _give_kept_up(self, pipe: KeptPipe, reason: str) -> None:
        """End the connection that was to take the link of *pipe* up again, if there is one."""
        session = self._session
        if session is not None:
            self._session = None
            session.close()
            self.announcer.say(Event.DISCONNECTED, session.fd)
        self._tell(Lost(self.hosted.key, self.key, pipe.token, reason), ())

    def session_taken(self, session: Session) -> None:
        """What was in the pipe is in other hands, or a link is there again."""
        self._untaken = None
        self._kept.take(session.token)
        self._backoff.reset()
        self._eager.clear()
        if self._lingering:
            self._settle(True)

    def session_ended(self, session: Session, reason: str, *, was_ready: bool) -> None:
        """Dial again: with the same pipe when nobody took it, else when there is a fresh one."""
        self._session = None
        if self._kept:
            if session.is_refused:
                self._kept.close()
                self._tell(Lost(self.hosted.key, self.key, session.token, reason), ())
            else:
                self._dial_later()
        elif session.is_hopeless:
            self._give_up(session, reason)
        elif self._lingering and not self._insists:
            session.release_pipe()
            self._settle(True)
        elif not was_ready:
            self._tell(Refused(self.hosted.key, self.key, reason), ())
            self._dial_later()
        elif session.is_relayed and (self._lingering or self._may_resume(session)):
            # The next one gets what this one has left of it, and the application need not act.
            self._pipe = OfferedPipe(
                session.segment, session.token, self._connect.bit, session.pipe
            )
            self._dial_later()
        else:
            self._tell_lost(session, reason)

    def _give_up(self, session: Session, reason: str) -> None:
        """Dial no more, as libzmq does not, and let the application have what has come before."""
        session.release_pipe()
        self._pipe = None
        self._given_up = True
        if self._lingering:
            self._settle(False)
        else:
            self._tell(GivenUp(self.hosted.key, self.key, reason), ())

    def _may_resume(self, session: Session) -> bool:
        return self._connect.resumes and session.pipe is not None and not session.pipe.is_broken

    def _tell_lost(self, session: Session, reason: str) -> None:
        """The application is to offer a fresh pipe."""
        self._note_untaken(session)
        session.release_pipe()
        self._tell(Lost(self.hosted.key, self.key, session.token, reason), ())
