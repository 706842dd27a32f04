"""One connection in a worker: the ZMTP handshake, and which way its messages go from there.

Where both sides offer to share memory and are of one user, the pipe is handed over to the peer's
application (`handed_over`). Everywhere else the worker is the pipe's far end and carries its
messages over the stream (`relayed`). The application sees a pipe with a far end in either case.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from ..constants import Event
from ..errors import ZMQError
from ..pipe_segment import check_pipe_segment
from ..shm import segment as segments
from ..shm.liveness import this_process
from ..zmtp import events
from ..zmtp.connection import Connection
from ..zmtp.mechanisms.null import NullMechanism
from ..zmtp.options import ConnectionOptions
from ..zmtp.raw import RawConnection
from . import handover, relayed
from .announcer import Announcer, failed_handshake
from .commands import CONFLATES, PeerEnd
from .exchange import Exchange
from .handed_over import HandedOver
from .kept import KeptPipe
from .lookup import Lookups
from .reactor import Reactor, Timer
from .relayed import RelayedTraffic
from .stream import ByteStream

if TYPE_CHECKING:
    import socket

    from ..pipe import Pipe
    from .hosting import HostedSocket


_RAW: Final = "STREAM"
"""The socket type whose peers do not speak ZMTP; ROUTER with ROUTER_RAW is of it, too."""


class Workplace(NamedTuple):
    """What all sessions of a worker share."""

    reactor: Reactor
    exchange: Exchange
    lookups: Lookups


class OfferedPipe(NamedTuple):
    """The pipe of a connecting endpoint, which waits for its far end."""

    segment: str
    token: bytes
    bit: int  # on the application's board
    held: Pipe | None = None
    """Our end of it, where an earlier connection has sent a part of what is in it."""


class SessionOwner(Protocol):
    """Who made the session and hears what becomes of it."""

    @property
    def announcer(self) -> Announcer:
        """Tells the monitor, if there is one."""

    def session_ready(self, session: Session, peer: PeerEnd, doorbell_fd: int) -> None:
        """The pipe has both its ends. The owner of the descriptor is now the callee."""

    def session_taken(self, session: Session) -> None:
        """All that the application said has arrived where it is no longer ours to lose.

        That is at the far end's application, which has been told of the pipe; or with the kernel,
        when the application had said goodbye. A session of the latter kind is over then.
        """

    def find_kept(self, token: bytes) -> KeptPipe | None:
        """The peer has the link of this pipe taken up again: return it, it is linked now."""

    def session_cut(self, session: Session, pipe: KeptPipe) -> None:
        """The connection is over, but *pipe* goes on: only the peer's worker has died."""

    def session_ended(self, session: Session, reason: str, *, was_ready: bool) -> None:
        """The connection is over; called once, and not when the owner closed it.

        Neither this nor session_cut is followed by anything.
        """


class Session:
    """One connection of *hosted*'s socket over *stream*; `start` it.

    *offered* is the pipe where we dialled for a far end, *kept* where we did for a lost link.

    With *shares*, the peer is offered shared memory. Once the session is ready, `token`, `segment`
    and `bit` tell which pipe it is, and `metadata` who the peer is.
    """

    def __init__(
        self,
        workplace: Workplace,
        stream: socket.socket,
        hosted: HostedSocket,
        options: Mapping[str, Any],
        socket_type: str,
        owner: SessionOwner,
        *,
        peer_address: str,
        shares: bool,
        offered: OfferedPipe | None = None,
        kept: KeptPipe | None = None,
    ) -> None:
        self._workplace = workplace
        self._hosted = hosted
        self._options = options
        self._socket_type = socket_type
        self._owner = owner
        self._dialled = offered is not None or kept is not None
        self._kept = kept
        self._peer_address = peer_address
        self.segment, self.token, self.bit, self.pipe = offered or OfferedPipe("", b"", -1)
        if kept is not None:
            self.segment, self.token, self.bit = kept.segment, kept.token, kept.bit
        is_raw = socket_type == _RAW
        self._shares = shares and self.pipe is None and not is_raw
        self.metadata: dict[str, bytes] = {}
        self.is_taken = False
        self.fd = stream.fileno()
        """The stream's number, also when it is closed."""
        self._handshaking = True
        self._handshake_end: events.Ended | None = None
        self._over = False
        self._timer: Timer | None = None
        self._handed_over: HandedOver | None = None
        self._relayed: RelayedTraffic | None = None
        reactor = workplace.reactor
        self._zmtp: Connection | RawConnection = RawConnection()
        if not is_raw:
            settings = connection_options(socket_type, options, shares=self._shares)
            self._zmtp = Connection(settings, NullMechanism(), reactor.now())
        self._stream = ByteStream(reactor, stream, self._on_data, self._end)

    def start(self) -> None:
        """Begin to speak; the owner knows us by now, since this may be the end already."""
        self._advance()

    @property
    def is_ready(self) -> bool:
        """Whether the pipe has both its ends."""
        return self.is_relayed or (self._handed_over is not None and self._handed_over.is_done)

    @property
    def is_refused(self) -> bool:
        """Whether the link that was asked for is of a pipe that the far end has let go."""
        return self._handed_over is not None and self._handed_over.is_refused

    @property
    def is_hopeless(self) -> bool:
        """Whether the handshake failed so that another would, too: libzmq makes none after it.

        One of the two broke the protocol, they do not go together, or one refused the other.
        """
        end = self._handshake_end
        final = isinstance(end, events.ProtocolViolation | events.PeerError | events.AccessDenied)
        return self._handshaking and final

    @property
    def is_relayed(self) -> bool:
        """Whether we are the pipe's far end."""
        return self._relayed is not None

    def close(self) -> None:
        """End the connection without telling the owner."""
        self._over = True
        self._stop_timer()
        if self._relayed is not None:
            self._relayed.close()
            if not self._dialled:
                self.release_pipe()
            return
        if self._handed_over is not None:
            self._handed_over.say_goodbye()
        self._stream.close()
        if self._handed_over is not None:
            self._handed_over.close()

    def marks_changed(self) -> None:
        """The high water marks in the options are new."""
        if self._relayed is not None:
            self._relayed.set_marks(self._options)

    def release_pipe(self) -> None:
        """No other connection will carry what is in the pipe.

        Where we dialled, the owner says so; else it is so when this one is over.
        """
        if self.pipe is not None:
            self._workplace.exchange.let_go(self.pipe)
            self.pipe = None

    def finish(self) -> None:
        """The application will say and read no more: write what it has said."""
        if self._relayed is not None:
            self._relayed.stop_reading()

    def _end(self, reason: str) -> None:
        if self._over:
            return  # the stream failed over our goodbye
        cut = None
        if self._handed_over is not None:
            self._handed_over.stream_ended()
            cut = self._handed_over.cut
        was_ready = self.is_ready
        self.close()
        if self._handshaking:
            self._owner.announcer.say(*failed_handshake(self._handshake_end))
        self._owner.announcer.say(Event.DISCONNECTED, self.fd)
        if cut is not None:
            self._owner.session_cut(self, cut)
        else:
            self._owner.session_ended(self, reason, was_ready=was_ready)

    # -- bytes and time ----------------------------------------------------------------------------

    def _on_data(self, data: bytes) -> None:
        self._zmtp.receive_data(data, self._workplace.reactor.now())
        self._advance()

    def _on_timer(self) -> None:
        self._timer = None
        self._zmtp.handle_timeout(self._workplace.reactor.now())
        self._advance()

    def _advance(self) -> None:
        """Handle what the bytes meant, send what is due, and set the timer anew."""
        try:
            while (event := self._zmtp.next_event()) is not None:
                self._stream.write(self._zmtp.data_to_send())
                if self._over:
                    return  # the peer has gone while it was spoken to
                if isinstance(event, events.Ended):
                    self._handshake_end = event
                    self._end(f"{type(event).__name__}: {getattr(event, 'text', '')}")
                    return
                if isinstance(event, events.HandshakeDone):
                    self._on_handshake(event)
                    if self._relayed is not None:
                        return
                elif isinstance(event, events.Command) and self._handed_over is not None:
                    self._handed_over.on_command(event)
        except (ZMQError, ValueError, OSError) as error:
            self._end(str(error))
            return
        self._stream.write(self._zmtp.data_to_send())
        if self._over:
            return
        self._stop_timer()
        due = self._zmtp.next_timeout()
        if due is not None and not self.is_ready:
            self._timer = self._workplace.reactor.call_at(due, self._on_timer)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- after the handshake -----------------------------------------------------------------------

    def _on_handshake(self, event: events.HandshakeDone) -> None:
        if event.version >= (3, 0):  # before, there was no handshake to speak of, says libzmq
            self._handshaking = False
            self._owner.announcer.say(Event.HANDSHAKE_SUCCEEDED, 0)
        self.metadata = {**event.metadata}
        self.metadata["Peer-Address"] = self._peer_address.encode()
        theirs = self.metadata.pop(handover.PROPERTY, None)
        if self._shares and handover.is_accepted(theirs) and self._stream.is_of_our_user():
            marks = self._options.get("SNDHWM", 1000), self._options.get("RCVHWM", 1000)
            self._handed_over = HandedOver(
                self,
                self._hosted,
                self._stream,
                self._command,
                marks,
                dialled=self._dialled,
                kept=self._kept,
            )
        elif self._kept is not None:
            raise ValueError("whoever listens there now is not the pipe's far end")
        else:
            self._relay()

    def _command(self, name: str, body: bytes) -> bytes:
        self._zmtp.send_command(name, body)
        return self._zmtp.data_to_send()

    def pipe_ready(self, peer: PeerEnd, doorbell_fd: int) -> None:
        """The pipe has both its ends (PipeHolder)."""
        self._owner.session_ready(self, peer, doorbell_fd)

    def pipe_taken(self) -> None:
        """All that the application said is the far end's (PipeHolder)."""
        self.is_taken = True
        self._owner.session_taken(self)

    def find_kept(self, token: bytes) -> KeptPipe | None:
        """Return the pipe whose link the peer wants taken up again (PipeHolder)."""
        return self._owner.find_kept(token)

    def _relay(self) -> None:
        """Be the far end of the pipe from now on.

        What fails leaves everything as it was, so that the next connection finds the pipe.
        """
        self._stop_timer()
        exchange = self._workplace.exchange
        held = self.pipe
        bit = held.bit if held is not None else exchange.reserve()
        doorbell_fd = -1
        try:
            end, doorbell_fd = exchange.end_of_pipe(bit)
            self.pipe = pipe = held or self._take_up_pipe(exchange, bit)
            self._relayed = RelayedTraffic(
                self._workplace.reactor,
                exchange,
                self._stream,
                self._zmtp,
                pipe,
                self._socket_type,
                self._options,
                self._end,
                self.pipe_taken,
            )
        except (ZMQError, OSError):
            if doorbell_fd >= 0:
                os.close(doorbell_fd)
            if held is None:
                if self.pipe is None:
                    exchange.release(bit)
                self.release_pipe()
                self._discard_pipe()
            raise
        # The application hears of us before we look at what it has written, or write.
        self._owner.session_ready(self, end, doorbell_fd)
        if self._dialled:
            pipe.segment.unlink()  # nobody else will open it
        self._relayed.start()

    def _take_up_pipe(self, exchange: Exchange, bit: int) -> Pipe:
        """Return our end of the pipe that we were offered, or of a new one."""
        hosted = self._hosted
        if self._dialled:
            segment = check_pipe_segment(self.segment, self.token, this_process())
        else:
            self.bit = hosted.board.allocate()
            segment = relayed.make_pipe(hosted.application)
            self.segment, self.token = segment.name, segment.token
        side = 1 if self._dialled else 0
        return relayed.relayed_pipe(segment, side, bit, exchange, hosted, self.bit, self._options)

    def _discard_pipe(self) -> None:
        """Let go the pipe that was made here and of which the application has not heard."""
        if not self._dialled:
            if self.bit >= 0:
                self._hosted.board.release(self.bit)
            if self.segment:
                segments.unlink(self.segment)


def connection_options(
    socket_type: str, options: Mapping[str, Any], *, shares: bool
) -> ConnectionOptions:
    """Return what the ZMTP connection has to know of the socket's *options*."""
    properties = {}
    for item in options.get("METADATA", ()):
        name, _, value = item.partition(b":")
        properties[name.decode("utf-8", "surrogateescape")] = value
    if shares:
        properties[handover.PROPERTY] = handover.offer()
        if options.get("CONFLATE"):
            properties[CONFLATES] = b"1"
    return ConnectionOptions(
        socket_type=socket_type,
        identity=options.get("ROUTING_ID", b""),
        metadata=properties,
        handshake_ivl_ms=options.get("HANDSHAKE_IVL", 30_000),
        maxmsgsize=options.get("MAXMSGSIZE", -1),
        heartbeat_ivl_ms=options.get("HEARTBEAT_IVL", 0),
        heartbeat_timeout_ms=options.get("HEARTBEAT_TIMEOUT", 0) or -1,
        heartbeat_ttl_ms=options.get("HEARTBEAT_TTL", 0),
    )
