"""A listening endpoint in a worker, and the sessions of those who connected to it."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import Final

from ..constants import Event
from ..transports.interface import Listener, Transport
from .announcer import Announcer
from .commands import Arrived, Bind, Linger, Lost, Packet, PeerEnd, Refused, SetMarks, Settled
from .hosting import HostedSocket
from .kept import KeptPipe, KeptPipes
from .reactor import READ, Timer
from .session import Session, Workplace

_PAUSE_S: Final = 0.1
_THIS_PEER_ONLY: Final = (
    errno.ECONNABORTED,
    errno.EPROTO,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.ENOPROTOOPT,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ENONET,
)
"""Errors of accept() that are about one connection, which has ended in the queue (accept(2))."""


class ListeningEndpoint:
    """Accepts connections and makes a session of each.

    *tell* sends an event to the application; *done* takes the endpoint away.
    """

    def __init__(
        self,
        workplace: Workplace,
        transport: Transport,
        listener: Listener | None,
        bind: Bind,
        hosted: HostedSocket,
        tell: Callable[[Packet, tuple[int, ...]], None],
        done: Callable[[ListeningEndpoint], None],
    ) -> None:
        self.key = bind.endpoint
        self.hosted = hosted
        self._workplace = workplace
        self._reactor = workplace.reactor
        self._transport = transport
        self._listener = listener
        self._bind = bind
        self._tell = tell
        self._done = done
        self._kept = KeptPipes(workplace.reactor, self._kept_lost)
        self.is_lingering = False
        self._linger_ends: Timer | None = None
        self._failure: int | None = None
        self.sessions: set[Session] = set()
        address = "" if listener is None else f"{bind.scheme}://{listener.address}"
        self.announcer = Announcer(hosted, tell, address)
        if listener is not None:
            self.announcer.say(Event.LISTENING, listener.stream.fileno())
            self._reactor.watch(listener.stream.fileno(), READ, self._accept)

    def keep(self, pipe: KeptPipe) -> None:
        """Look after a pipe whose link went with the worker before this one."""
        self._kept.keep(pipe)

    def stop_listening(self) -> None:
        """Accept nobody any more; who is connected stays."""
        if self._listener is not None:
            self._reactor.forget(self._listener.stream.fileno())
            self._close_listener(self._listener)
            self._listener = None
            for session in [session for session in self.sessions if not session.is_ready]:
                self.sessions.discard(session)
                session.close()

    def _close_listener(self, listener: Listener) -> None:
        fd = listener.stream.fileno()
        try:
            listener.close()
        except OSError as error:
            self.announcer.say(Event.CLOSE_FAILED, error.errno or errno.EIO)
        else:
            self.announcer.say(Event.CLOSED, fd)

    def close(self) -> None:
        """Stop listening and end all connections, telling nobody."""
        self.stop_listening()
        if self._linger_ends is not None:
            self._linger_ends.cancel()
        for session in self.sessions:
            session.close()
        self.sessions.clear()
        self._kept.end()

    def set_marks(self, packet: SetMarks) -> None:
        """Have all pipes that we relay for it go by these high water marks."""
        self._bind.options.update(SNDHWM=packet.send_hwm, RCVHWM=packet.receive_hwm)
        for session in self.sessions:
            session.marks_changed()

    def linger(self, packet: Linger) -> None:
        """The socket is closed: write what it has said to those we relay to."""
        self.stop_listening()
        self.is_lingering = True
        for session in list(self.sessions):
            if session.is_relayed:
                session.finish()
            else:
                self.sessions.discard(session)
                session.close()
        if packet.timeout_ms >= 0 and self.sessions:
            self._linger_ends = self._reactor.call_later(
                packet.timeout_ms / 1000, lambda: self._settle(False)
            )
        self._settle_when_done()

    def _settle_when_done(self) -> None:
        if self.is_lingering and not self.sessions:
            self._settle(True)

    def _settle(self, delivered: bool) -> None:
        self.close()
        self._done(self)
        self._tell(Settled(self.key, delivered), ())

    def hang_up(self, token: bytes) -> bool:
        """End the connection behind the pipe *token*, if it is one of ours."""
        for session in self.sessions:
            if session.token == token and session.is_ready:
                self.sessions.discard(session)
                session.close()
                self.announcer.say(Event.DISCONNECTED, session.fd)
                return True
        return self._kept.take(token) is not None

    def _accept(self, _: int) -> None:
        while self._listener is not None:
            try:
                stream, _address = self._listener.stream.accept()
            except BlockingIOError:
                return
            except OSError as error:
                self.announcer.say(Event.ACCEPT_FAILED, error.errno or errno.EIO)
                if error.errno in _THIS_PEER_ONLY:
                    continue
                # No descriptors or memory left: the queue can wait, and spinning would not help.
                self._reactor.forget(self._listener.stream.fileno())
                self._reactor.call_later(_PAUSE_S, self._resume)
                self._note_failure(error)
                return
            self._begin_session(stream)

    def _begin_session(self, stream: socket.socket) -> None:
        bind = self._bind
        stream.setblocking(False)
        try:
            peer_address = self._transport.opened(stream, bind.options, accepted=True)
            session = Session(
                self._workplace,
                stream,
                self.hosted,
                bind.options,
                bind.socket_type,
                self,
                peer_address=peer_address,
                shares=self._transport.capabilities.shared_memory,
            )
        except PermissionError as error:
            stream.close()  # a filter keeps it out; telling of each would give it a way to flood us
            self.announcer.say(Event.ACCEPT_FAILED, error.errno or errno.EPERM)
            return
        except OSError as error:
            stream.close()
            self.announcer.say(Event.ACCEPT_FAILED, error.errno or errno.EIO)
            if error.errno not in (errno.ENOTCONN, errno.ECONNRESET):
                self._note_failure(error)
            return
        self._failure = None
        self.announcer.say(Event.ACCEPTED, stream.fileno())
        self.sessions.add(session)
        session.start()

    def _note_failure(self, error: OSError) -> None:
        """Tell the application, once, why the next peer has to wait."""
        if error.errno != self._failure:
            self._failure = error.errno
            self._tell(Refused(self.hosted.key, self.key, f"cannot accept a peer: {error}"), ())

    def _resume(self) -> None:
        if self._listener is None:
            return
        try:
            self._reactor.watch(self._listener.stream.fileno(), READ, self._accept)
        except OSError:  # the kernel has no memory left for it
            self._reactor.call_later(_PAUSE_S, self._resume)

    # -- what the sessions say (SessionOwner) ------------------------------------------------------

    def session_ready(self, session: Session, peer: PeerEnd, doorbell_fd: int) -> None:
        """Tell the application of the pipe that has arrived."""
        arrived = Arrived(
            self.hosted.key,
            self.key,
            session.token,
            session.segment,
            session.bit,
            peer,
            session.metadata,
        )
        self._tell(arrived, (doorbell_fd,))

    def find_kept(self, token: bytes) -> KeptPipe | None:
        """Return the pipe with *token*, which is linked again."""
        return self._kept.take(token)

    def session_cut(self, session: Session, pipe: KeptPipe) -> None:
        """Wait for the far end's next worker."""
        self.sessions.discard(session)
        self._kept.keep(pipe)

    def _kept_lost(self, pipe: KeptPipe) -> None:
        self._tell(Lost(self.hosted.key, self.key, pipe.token, "the peer has died"), ())

    def session_taken(self, session: Session) -> None:
        """A session that we relayed has written all, after its application's goodbye."""
        self.sessions.discard(session)
        if not self.is_lingering:
            self._tell(Lost(self.hosted.key, self.key, session.token, "our side said goodbye"), ())
        self._settle_when_done()

    def session_ended(self, session: Session, reason: str, *, was_ready: bool) -> None:
        """Tell the application that a pipe's far end is gone."""
        self.sessions.discard(session)
        if was_ready and not self.is_lingering:
            self._tell(Lost(self.hosted.key, self.key, session.token, reason), ())
        self._settle_when_done()
