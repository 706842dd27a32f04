"""One ZMTP connection, without I/O: bytes in, events and bytes out, and one timer to set.

    connection = Connection(options, NullMechanism(), now)
    loop:   write connection.data_to_send()
            wait until the stream is readable, or until connection.next_timeout()
            connection.receive_data(octets, now)     (receive_eof() at the end of the stream)
            connection.handle_timeout(now)
            while (event := connection.next_event()) is not None: ...

`next_event` does the work: what arrived is only cut into frames, answered, and turned into events
as they are asked for. So a caller that has no room stops asking, and one that takes the stream over
gets every octet not yet looked at. After an event derived from `Ended`, send what `data_to_send`
still returns and close the stream.

`now` is always seconds (float) of one monotonic clock of the caller's choice.
"""

from __future__ import annotations

from collections import deque

from . import commands, events, frames, metadata
from .errors import LocalError, ProtocolError, ProtocolReason
from .greeting import GreetingExchange, LocalGreeting, PeerGreeting
from .heartbeat import Due, Heartbeat
from .mechanisms.base import Status
from .record import TYPE_CHECKING
from .states import CARRYING, CONNECTION, HANDSHAKING, Phase, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import ClassVar

    from .mechanisms.base import Mechanism, Output, ZapReply
    from .options import ConnectionOptions

    Octets = bytes | bytearray | memoryview

HANDSHAKE_COMMAND_MAX = 128 * 1024
"""The largest handshake command in bytes: what a stranger can make us hold. The largest thing in
any handshake, a Kerberos token, stays under 64 KiB.
"""

TRAFFIC_ALLOWANCE = 64 * 1024
"""Bytes by which a command, or a frame that a mechanism has wrapped, may exceed MAXMSGSIZE."""

_PUBLISHERS = frozenset({"PUB", "XPUB"})

_PLAIN_EVENTS = {"PONG": events.Pong, "SUBSCRIBE": events.Subscribe, "CANCEL": events.Cancel}
"""Commands that are only told, with the event that tells them."""


class Connection:
    """Our side of one connection. Nothing in it blocks; one thread at a time may use it."""

    def __init__(self, options: ConnectionOptions, mechanism: Mechanism, now: float) -> None:
        """Begin: the signature is ready to be sent, and HANDSHAKE_IVL runs.

        Raises ValueError for options that could not be told a peer.
        """
        metadata.check_local(options.socket_type, options.identity, options.metadata)
        self._options = options
        self._properties = metadata.local_properties(
            options.socket_type, options.identity, options.metadata
        )
        self.mechanism = mechanism
        self._phase = Phase.GREETING
        self._now = now
        ivl_ms = options.handshake_ivl_ms
        self._handshake_ends = now + ivl_ms / 1000 if ivl_ms else None
        self._heartbeat = Heartbeat(
            options.heartbeat_ivl_ms, options.heartbeat_timeout_ms, options.heartbeat_ttl_ms
        )
        self._message_limit = self._command_limit = options.maxmsgsize
        if options.maxmsgsize >= 0:
            self._command_limit += TRAFFIC_ALLOWANCE
            self._message_limit += 0 if mechanism.is_clear_text else TRAFFIC_ALLOWANCE
        self._received = bytearray()
        self._eof = False
        self._to_send: list[bytes] = []
        self._events: deque[events.Event] = deque()
        self._greeting = GreetingExchange(
            LocalGreeting(
                mechanism.name,
                options.socket_type,
                options.identity,
                mechanism.as_server,
                mechanism.admits_old_peers,
            )
        )
        self._peer = PeerGreeting((0, 0), frames.V2)
        self._greeting.open(self._to_send)

    @property
    def phase(self) -> Phase:
        """How far the connection has come; octets not yet looked at may lead further."""
        return self._phase

    @property
    def version(self) -> tuple[int, int]:
        """The version that both sides speak, or (0, 0) while that is open."""
        return self._peer.version

    # -- what came from the stream, and what goes into it

    def receive_data(self, data: Octets, now: float) -> None:
        """Take octets that were read from the stream, any number of them.

        They are copied, and looked at when `next_event` is called. After the connection has ended
        they are dropped. Raises LocalError when the stream has been taken over.
        """
        if self._phase is Phase.TAKEN_OVER:
            raise LocalError("the stream was taken over: use receive_command and note_traffic")
        self._now = now
        if self._phase is not Phase.CLOSED:
            self._received += data
            self._heartbeat.note_traffic()

    def receive_eof(self) -> None:
        """The stream has ended or failed: ConnectionLost follows the events of what had arrived."""
        self._eof = True

    def data_to_send(self) -> bytes:
        """Return the octets to send now and forget them; empty when there are none.

        What the stream does not accept stays with the caller, who should not read on from a peer
        that does not read: each PING makes a PONG.
        """
        data = b"".join(self._to_send)
        self._to_send.clear()
        return data

    def next_event(self) -> events.Event | None:
        """Return what happened next, or None until more octets come.  No peer can make it raise."""
        while not self._events and self._advance():
            pass
        return self._events.popleft() if self._events else None

    # -- time

    def next_timeout(self) -> float | None:
        """Return when to call `handle_timeout`, if nothing else happens before; None for never."""
        if self._phase in HANDSHAKING:
            return self._handshake_ends
        return self._heartbeat.next_timeout() if self._phase in CARRYING else None

    def handle_timeout(self, now: float) -> None:
        """Do what is due at *now*, if anything: send PING, or end the connection with TimedOut."""
        self._now = now
        while self._phase in HANDSHAKING and self._advance():
            pass  # what has arrived in time counts, also when nobody has asked for its events yet
        if self._phase in HANDSHAKING:
            if self._handshake_ends is not None and self._handshake_ends <= now:
                self._end(events.TimedOut(True, "handshake"))
        elif self._phase in CARRYING:
            due = self._heartbeat.check(now)
            if due is Due.PING:
                self._put(frames.COMMAND, commands.ping(self._heartbeat.ttl))
            elif due is not Due.NOTHING:
                self._end(events.TimedOut(False, "heartbeat" if due is Due.TIMEOUT else "ttl"))

    def note_traffic(self) -> None:
        """The peer gave a sign of life that did not come through `receive_data`.

        Also for a caller that leaves the stream unread for lack of room: a silence of its own doing
        is not to be held against the peer.
        """
        self._heartbeat.note_traffic()

    # -- what our side has to say

    def send_frame(self, body: Octets, more: bool = False) -> None:
        """Send one frame of a message; *more* tells that others follow it.

        Raises LocalError before HandshakeDone, after the end, and when the stream was taken over.
        """
        if self._phase is not Phase.TRAFFIC:
            raise LocalError(f"a message frame cannot be sent in phase {self._phase.name}")
        self._put(frames.MORE if more else 0, bytes(body))

    def send_command(self, name: str, body: bytes = b"") -> None:
        """Send the command *name* (1 to 255 visible ASCII characters, or ValueError).

        Raises LocalError before HandshakeDone, after the end, and for a peer older than ZMTP 3.0,
        which knows no commands.
        """
        self._check_carrying()
        if self._peer.version < (3, 0):
            raise LocalError("a peer that speaks ZMTP 2.0 or older knows no commands")
        self._put(frames.COMMAND, commands.encode(name, body))

    def subscribe(self, topic: bytes) -> None:
        """Ask the peer for messages that begin with *topic*.

        A 3.1 peer gets a command, an older one a message. Raises LocalError as send_command does.
        """
        self._send_subscription(commands.subscribe, b"\x01", topic)

    def cancel(self, topic: bytes) -> None:
        """Take one subscription to *topic* back; otherwise as subscribe."""
        self._send_subscription(commands.cancel, b"\x00", topic)

    def receive_zap_reply(self, reply: ZapReply, now: float) -> None:
        """Hand the mechanism the answer to its ZapRequest.  Raises LocalError if it asked nothing.

        An answer that comes when the connection has ended is dropped.
        """
        if self._phase is Phase.CLOSED:
            return
        if self._phase is not Phase.HANDSHAKE:
            raise LocalError(f"no ZAP reply is expected in phase {self._phase.name}")
        self._now = now
        try:
            self._carry_out(self.mechanism.receive_zap_reply(reply))
        except ProtocolError as error:
            self._violated(error)

    # -- a faster codec for the traffic

    def take_over(self) -> bytes:
        """Leave message frames to the caller; return the octets that were not yet looked at.

        Timers and commands stay here: when frames come, call `note_traffic`, and `receive_command`
        for each command frame; `data_to_send` goes on to return whole command frames, to be
        written between frames of the caller's. Raises LocalError unless in the traffic phase.
        """
        if (self._phase, Turn.TAKE_OVER) not in CONNECTION:
            raise LocalError(f"the stream cannot be taken over in phase {self._phase.name}")
        self._turn(Turn.TAKE_OVER)
        rest, self._received = bytes(self._received), bytearray()
        return rest

    def receive_command(self, body: bytes, now: float) -> None:
        """Take the body of a command frame from whoever took the stream over.

        `next_event` tells what it meant; after the connection has ended it is dropped. Raises
        LocalError unless the stream was taken over.
        """
        if self._phase is Phase.CLOSED:
            return
        if self._phase is not Phase.TAKEN_OVER:
            raise LocalError(f"commands are cut out of the stream here in phase {self._phase.name}")
        self._now = now
        self._heartbeat.note_traffic()
        try:
            self._command(body)
        except ProtocolError as error:
            self._violated(error)

    # -- reading, one step at a time: each reader returns whether it got anywhere

    def _advance(self) -> bool:
        """Take one step in what has arrived; whether there was one to take."""
        reader = self._READERS.get(self._phase)
        try:
            if reader is not None and reader(self):
                return True
        except ProtocolError as error:
            self._violated(error)
            return True
        if self._eof and self._phase is not Phase.CLOSED:
            self._end(events.ConnectionLost(self._phase in HANDSHAKING, bool(self._received)))
            return True
        return False

    def _read_greeting(self) -> bool:
        self._greeting.receive(self._received, self._to_send)
        peer = self._greeting.peer
        if peer is None:
            return False
        self._peer = peer
        if peer.version < (3, 0):
            self._turn(Turn.OLD_PEER)
        else:
            self._turn(Turn.V3_PEER)
            self._carry_out(self.mechanism.start(self._properties))
        return True

    def _read_handshake(self) -> bool:
        frame = frames.V2.take(self._received, HANDSHAKE_COMMAND_MAX, HANDSHAKE_COMMAND_MAX)
        if frame is None:
            return False
        flags, body = frame
        if not flags & frames.COMMAND:
            raise ProtocolError(
                "a message came before the handshake was done",
                ProtocolReason.ZMTP_UNEXPECTED_COMMAND,
            )
        self._carry_out(self.mechanism.receive_command(body))
        return True

    def _read_identity(self) -> bool:
        """The first frame of a 1.0 or 2.0 peer says who it is (RFC 13, 15)."""
        limit = metadata.IDENTITY_MAX
        frame = self._peer.framing.take(self._received, limit, limit)
        if frame is None:
            return False
        properties = {metadata.IDENTITY: frame[1]}
        if self._peer.socket_type is not None:
            properties[metadata.SOCKET_TYPE] = self._peer.socket_type
        self._turn(Turn.IDENTIFIED)
        self._tell_done(properties)
        if self._peer.socket_type is None and self._options.socket_type in _PUBLISHERS:
            # A 1.0 subscriber filters by itself and asks for nothing: as libzmq, send it all.
            self._events.append(events.Subscribe(b""))
        return True

    def _read_traffic(self) -> bool:
        frame = self._peer.framing.take(self._received, self._message_limit, self._command_limit)
        if frame is None:
            return False
        self._heartbeat.note_traffic()
        flags, body = self.mechanism.decode(*frame)
        if flags & frames.COMMAND:
            self._command(body)
            return True
        frames.check_size(len(body), self._options.maxmsgsize)  # unwrapped: the limit proper
        self._events.append(events.MessageFrame(body, bool(flags & frames.MORE)))
        return True

    _READERS: ClassVar[dict[Phase, Callable[[Connection], bool]]] = {
        Phase.GREETING: _read_greeting,
        Phase.HANDSHAKE: _read_handshake,
        Phase.IDENTITY: _read_identity,
        Phase.TRAFFIC: _read_traffic,
    }

    def _command(self, body: bytes) -> None:
        """Do what a command of the traffic phase asks for, and tell."""
        if self._peer.version < (3, 0):
            raise ProtocolError("a peer that speaks ZMTP 2.0 sent a command, which only 3.0 has")
        name, data = commands.decode(body)
        if name == "PING":
            ttl, context = commands.ping_fields(data)
            self._heartbeat.note_ping(ttl, self._now)
            self._put(frames.COMMAND, commands.pong(context))
            self._events.append(events.Ping(ttl, context))
        elif name in _PLAIN_EVENTS:
            self._events.append(_PLAIN_EVENTS[name](data))
        else:
            self._events.append(events.Command(name, data))

    # -- the machinery

    def _turn(self, turn: Turn) -> None:
        self._phase = CONNECTION[self._phase, turn]

    def _check_carrying(self) -> None:
        if self._phase not in CARRYING:
            raise LocalError(f"nothing can be sent in phase {self._phase.name}")

    def _carry_out(self, outputs: Sequence[Output]) -> None:
        """Do what the mechanism wants, and look how far it has come."""
        status = self.mechanism.status
        if status is Status.READY:
            # Before our own READY goes out, where a server's says that all is well.
            metadata.check_peer(self._options.socket_type, self.mechanism.peer_properties)
        for output in outputs:
            if isinstance(output, events.ZapRequest):
                self._events.append(output)
            else:
                self._put_raw(frames.COMMAND, output)
        if status is Status.READY:
            self._turn(Turn.SECURED)
            self._heartbeat.start(self._now)
            told, by_zap = self.mechanism.peer_properties, self.mechanism.zap_properties
            self._tell_done(metadata.known_of_peer(told, by_zap))
        elif self.mechanism.failure is not None and status is Status.FAILED:
            self._end(self.mechanism.failure)

    def _tell_done(self, properties: dict[str, bytes]) -> None:
        done = events.HandshakeDone(self._peer.version, self.mechanism.name, properties)
        self._events.append(done)

    def _send_subscription(
        self, command: Callable[[bytes], bytes], octet: bytes, topic: bytes
    ) -> None:
        self._check_carrying()
        if self._peer.version >= (3, 1):
            self._put(frames.COMMAND, command(topic))
        else:
            self._put(0, octet + topic)

    def _put(self, flags: int, body: bytes) -> None:
        """Queue a frame of the traffic phase."""
        self._put_raw(*self.mechanism.encode(flags, body))

    def _put_raw(self, flags: int, body: bytes) -> None:
        self._to_send += (self._peer.framing.header(len(body), flags), body)

    def _violated(self, error: ProtocolError) -> None:
        handshaking = self._phase in HANDSHAKING
        self._end(events.ProtocolViolation(handshaking, error.text, error.reason, error.code))

    def _end(self, event: events.Ended) -> None:
        self._turn(Turn.END)
        self._received.clear()
        self._events.append(event)
