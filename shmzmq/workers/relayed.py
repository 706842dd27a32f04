"""A connection whose messages the worker carries between the pipe and the stream.

The application sees a pipe whose far end is this worker. Where the peer's frames lie as they are on
the wire, the compiled relay moves them; commands and heartbeats stay with the ZMTP connection.
"""

from __future__ import annotations

import fcntl
import os
import socket
import sys
import termios
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from ..pipe import Pipe
from ..pipe_segment import create_pipe_segment, ring_size
from ..shm.liveness import ProcessId
from ..zmtp import commands, events
from ..zmtp.codec import FrameCodec
from ..zmtp.connection import TRAFFIC_ALLOWANCE, Connection
from ..zmtp.raw import RAW_VERSION, RawConnection
from .exchange import Exchange
from .hosting import HostedSocket
from .reactor import READ, Reactor, Timer
from .receiving import Receiving
from .sending import Sending
from .traffic import Traffic

if TYPE_CHECKING:
    from ..shm.segment import Segment
    from .stream import ByteStream

_COMMAND_MOST: Final = 16 * 1024 * 1024
"""The largest command in bytes where MAXMSGSIZE sets no limit; a subscription is one."""

_GRACE_S: Final = 3.0
"""How long a peer may take to read what was written before its stream is closed all the same."""

_CHUNK: Final = 64 * 1024

_PUBLISHERS: Final = ("PUB", "XPUB")
_SUBSCRIBERS: Final = ("SUB", "XSUB")
_CONFLATING_IN: Final = ("PULL", "SUB", "DEALER")  # those whose messages may take another's place


def make_pipe(application: tuple[int, int]) -> Segment:
    """Make a pipe whose connecting end is ours. Raises ZMQError(ENOBUFS)."""
    segment = create_pipe_segment(
        outbound=ring_size(True), inbound=ring_size(True), token=os.urandom(16)
    )
    segment.reader = ProcessId(*application)
    return segment


class RelayedTraffic:
    """The traffic phase of a connection.

    *pipe* is our end. *on_end* is called with the reason, once, when the stream is over;
    *on_written* when the application has said goodbye and all that it said before is the kernel's.
    """

    def __init__(
        self,
        reactor: Reactor,
        exchange: Exchange,
        stream: ByteStream,
        zmtp: Connection | RawConnection,
        pipe: Pipe,
        socket_type: str,
        options: Mapping[str, Any],
        on_end: Callable[[str], None],
        on_written: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._zmtp = zmtp
        self._pipe = pipe
        set_limits(pipe, options)
        pipe.conflate(False, bool(options.get("CONFLATE")) and socket_type in _CONFLATING_IN)
        self._on_end = on_end
        self._on_written = on_written
        self._timer: Timer | None = None
        self._heard = 0  # octets received when the heartbeat was last told of a sign of life
        self._open = True
        self._carries = False
        version = zmtp.version
        codec = frame_codec(version, options.get("MAXMSGSIZE", -1))
        rest = zmtp.take_over()
        self._stream, unsent = stream.give_up()
        fd = self._stream.fileno()
        self._publishes = socket_type in _PUBLISHERS
        commanding = version >= (3, 1) and socket_type in _SUBSCRIBERS
        send_most = call_limit(options, "TCP_SEND_BUFFER", "OUT_BATCH_SIZE")
        self._sending = Sending(pipe, fd, codec, commanding, send_most)
        self._sending.say(unsent)
        receive_most = call_limit(options, "TCP_RECV_BUFFER", "IN_BATCH_SIZE")
        self._notifies = version == RAW_VERSION and bool(options.get("STREAM_NOTIFY", 1))
        self._receiving = Receiving(pipe, fd, codec, self._publishes, rest, receive_most)
        self._traffic = Traffic(
            reactor, exchange, pipe.bit, fd, self._sending, self._receiving, self
        )

    def start(self) -> None:
        """Begin; the application has been told of us, so it will hear what we post."""
        self._carries = True
        self._traffic.start()
        if self._notifies:
            self._receiving.announce()
        if self._handle_events():
            self._traffic.receive_now()

    def set_marks(self, options: Mapping[str, Any]) -> None:
        """Go by the high water marks in *options* from now on."""
        set_limits(self._pipe, options)
        self._traffic.room_made()

    # -- the end -----------------------------------------------------------------------------------

    def close(self) -> None:
        """End the connection; what the stream had not taken whole can be sent on another."""
        if not self._open:
            return
        self._open = False
        self._stop_timer()
        self._end_traffic()
        self._reactor.forget(self._stream.fileno())
        self._stream.close()
        self._sending.rewind()
        self._receiving.drop()
        # Whose methods these are may go at once, without the collector.
        self._on_end, self._on_written = _ignore_reason, _ignore
        self._pipe.forget_unfinished()

    def _end_traffic(self) -> None:
        if self._carries:
            self._carries = False
            self._traffic.end()

    def stop_reading(self) -> None:
        """The application reads no more, but what it has said is still to be written."""
        self._traffic.stop_reading()

    def all_written(self) -> None:
        """All is the kernel's (TrafficKeeper). Wait a little until it is the peer's, too.

        A stream that is closed with octets in it that nobody has read may lose them: TCP resets
        it when the peer still sends, and libzmq drops what a hung-up Unix socket still holds.
        """
        self._stop_timer()
        self._end_traffic()
        try:
            self._stream.shutdown(socket.SHUT_WR)
            arrived = _unread_by_peer(self._stream) == 0
            if not arrived:
                self._reactor.watch(self._stream.fileno(), READ, self._discard)
        except OSError:
            arrived = True  # or we cannot hear that it has
        if arrived:
            self._written()
            return
        self._timer = self._reactor.call_later(_GRACE_S, self._written)

    def _discard(self, _: int) -> None:
        """Read on for nobody, until the peer has closed its side."""
        try:
            if self._stream.recv(_CHUNK):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._written()

    def _written(self) -> None:
        on_written = self._on_written
        self.close()
        on_written()

    def traffic_ended(self, reason: str) -> None:
        """The stream is over (TrafficKeeper)."""
        if self._open:
            if self._notifies and not self._traffic.deaf:
                self._receiving.announce()
            on_end = self._on_end
            self.close()
            on_end(reason)

    # -- commands and time -------------------------------------------------------------------------

    def command_came(self, command: bytes) -> bool:
        """Act upon what the peer says to this end; false when that was the end (TrafficKeeper)."""
        self._zmtp.receive_command(command, self._reactor.now())
        self._heard = self._receiving.count  # a PING's time to live counts from here
        return self._handle_events()

    def _handle_events(self) -> bool:
        """Act upon what the ZMTP connection has to say; false when that was the end."""
        while (event := self._zmtp.next_event()) is not None:
            if isinstance(event, events.Ended):
                self._say(self._zmtp.data_to_send())
                self.traffic_ended(f"{type(event).__name__}: {getattr(event, 'text', event)}")
                return False
            if isinstance(event, events.Subscribe) and self._publishes:
                # Not the peer's own words, which the relay finds itself: a 1.0 peer means it.
                self._receiving.imply(commands.subscribe(event.topic))
        self._say(self._zmtp.data_to_send())
        self._set_timer()
        return True

    def _say(self, octets: bytes) -> None:
        if octets:
            self._sending.say(octets)
            self._traffic.take_turn()

    def _on_timer(self) -> None:
        self._timer = None
        self._traffic.receive_now()  # of a large body we are not told octet by octet
        if not self._open:
            return
        # Without room for what the peer says the silence is ours.
        if self._receiving.count != self._heard or not self._traffic.reads:
            self._zmtp.note_traffic()
            self._heard = self._receiving.count
        self._zmtp.handle_timeout(self._reactor.now())
        self._handle_events()

    def _set_timer(self) -> None:
        self._stop_timer()
        due = self._zmtp.next_timeout()
        if due is not None and self._open:
            self._timer = self._reactor.call_at(due, self._on_timer)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _ignore() -> None:
    """Do nothing: the traffic is over."""


def _ignore_reason(_: str) -> None:
    """Do nothing: the traffic is over."""


def _unread_by_peer(stream: socket.socket) -> int:
    """Return how many octets that were sent have not arrived (SIOCOUTQ; unix(7), tcp(7))."""
    return int.from_bytes(fcntl.ioctl(stream.fileno(), termios.TIOCOUTQ, bytes(4)), sys.byteorder)


def call_limit(options: Mapping[str, Any], *names: str) -> int:
    """Return how many octets one system call may move by these options, 0: any number.

    Where none is set that is what the machine does best, and not the 8192 of the manual.
    """
    return min((options[name] for name in names if name in options), default=0)


def frame_codec(version: tuple[int, int], maxmsgsize: int) -> FrameCodec:
    """Return the codec for a peer that speaks *version*, held to MAXMSGSIZE (-1: no limit).

    What comes from a raw stream is no longer than one read, whatever MAXMSGSIZE is.
    """
    if version == RAW_VERSION:
        return FrameCodec("raw")
    command_limit = _COMMAND_MOST if maxmsgsize < 0 else maxmsgsize + TRAFFIC_ALLOWANCE
    return FrameCodec("1.0" if version < (2, 0) else "2.0", maxmsgsize, command_limit)


def relayed_pipe(
    segment: Segment,
    side: int,
    bit: int,
    exchange: Exchange,
    hosted: HostedSocket,
    application_bit: int,
    options: Mapping[str, Any],
) -> Pipe:
    """Return our end of a pipe; the application's has *application_bit* on its socket's board."""
    pipe = Pipe(segment, side, exchange.board, bit, options.get("RCVHWM", 1000))
    pipe.attach(hosted.board, application_bit)
    pipe.set_reader(ProcessId(*hosted.application))
    pipe.use_lender(exchange.lender)
    return pipe


def set_limits(pipe: Pipe, options: Mapping[str, Any]) -> None:
    """Set the limits of our end of a pipe by the application's high water marks, which count alone.

    What it receives is what we send into the pipe.
    """
    pipe.set_limits(options.get("RCVHWM", 1000), options.get("SNDHWM", 1000))
