"""The application's side of endpoints that a worker carries, and of the pipes behind them.

The worker finds the far ends and loses them; here their pipes are taken up, renewed and let go, on
the thread that uses the socket. The events come in the order in which the worker wrote them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from .constants import HICCUP_MSG, MAXMSGSIZE, USE_FD, SocketType
from .errors import ZMQError
from .keeper import (
    EndpointKeeper,
    FarEnd,
    GivenDescriptor,
    Replaced,
    conflates,
    high_water_marks,
    no_descriptor_left,
    options_for_worker,
    refuse,
)
from .pipe import Pipe
from .pipe_segment import create_pipe_segment, ring_size
from .shm import segment as segments
from .shm.board import Board
from .shm.layout import Kind, Slot
from .shm.liveness import ProcessId, is_alive
from .workers import commands
from .workers.commands import (
    Arrived,
    Attached,
    Bound,
    Linger,
    Lost,
    PeerEnd,
    Refused,
    Settled,
)
from .workers.pool import WorkerGone

if TYPE_CHECKING:
    from .endpoints import Endpoint
    from .shm.directory import DirectorySlot
    from .shm.segment import Segment
    from .socket import Socket
    from .workers.pool import WorkerLink

_PASSING = (errno.ENOBUFS, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
"""What a fresh pipe may lack today and have a moment later: memory, a descriptor to map it by."""


def attach_far_end(keeper: EndpointKeeper, pipe: Pipe, peer: PeerEnd, board: Board | None) -> None:
    """Join *pipe* to its far end.

    Without a *board* that one has gone already, and is only read from.
    """
    if board is None:
        pipe.lost = True
        return
    keeper.note_marks(pipe, (peer.send_hwm, peer.receive_hwm))
    pipe.relayed = peer.is_worker
    pipe.attach(board, peer.bit)


def tell_marks(keeper: EndpointKeeper, told: commands.Bind | commands.Connect) -> None:
    """The high water marks were set anew: tell the worker that was *told* of the endpoint, and
    whoever may replace it.
    """
    send_hwm, receive_hwm = high_water_marks(keeper.socket.options)
    told.options.update(SNDHWM=send_hwm, RCVHWM=receive_hwm)
    if keeper.worker is not None:
        keeper.worker.post(commands.SetMarks(keeper.key, send_hwm, receive_hwm))


def clear_away(segment: Segment, far_end: ProcessId) -> None:
    """All that *far_end* wrote into this pipe was read: if it is dead, take away what it left."""
    if far_end.pid and not is_alive(far_end):
        segments.unlink_all_of(far_end, segment.token)


def _given_descriptor(socket: Socket) -> GivenDescriptor | None:
    """Return the descriptor that *socket* is to listen on. Raises ZMQError for a bad one."""
    number = cast("int", socket.options[USE_FD])
    return GivenDescriptor(number) if number >= 0 else None


def _max_part_size(socket: Socket) -> int:
    """Return MAXMSGSIZE, -1 for none: plain bytes are not in messages, so none is too large."""
    is_raw = socket.pattern.name == "STREAM"
    return -1 if is_raw else int(cast("int", socket.options[MAXMSGSIZE]))


_LAST_WORDS_MS: Final = 1000
"""How long a connection that the user has ended may take to be rid of what was sent on it."""


class _Line(NamedTuple):
    """A pipe of a listening endpoint."""

    slot: DirectorySlot
    peer: PeerEnd


def take_conflation(event: Arrived | Attached) -> bool:
    """Whether the far end sends messages of which only the last is to be kept (its CONFLATE)."""
    return event.metadata.pop(commands.CONFLATES, None) is not None


class WorkerBind(EndpointKeeper):
    """A bound endpoint that a worker listens on. Raises ZMQError with what the system said."""

    is_bound = True

    def __init__(self, socket: Socket, endpoint: Endpoint, link: WorkerLink) -> None:
        super().__init__(socket, endpoint)
        self.worker: WorkerLink = link
        self._given = _given_descriptor(socket)
        self._lines: dict[Pipe, _Line] = {}
        # A connection that is made anew has the token of the last, which may not be read out yet.
        self._by_token: dict[bytes, Pipe] = {}
        self._bidden_farewell: set[Pipe] = set()
        self._max_part_size = _max_part_size(socket)
        self._conflates = conflates(socket.options)
        self._listening = False
        self._slot = socket.context.directory.add(Slot.ENDPOINT, str(endpoint), socket.key)
        self.key = self._slot.key
        self._bind = commands.Bind(
            self.key, socket.key, *endpoint, options_for_worker(socket.options), socket.pattern.name
        )
        socket.context.keepers[self.key] = self
        answer = self._ask_to_listen()
        if answer.errno:
            self._forget()
            raise ZMQError(answer.errno, f"cannot bind {endpoint}: {answer.text}")
        self._listening = True
        self._bind = self._bind._replace(address=answer.address)
        self.endpoint = f"{endpoint.scheme}://{answer.address}"
        self._slot.set_label(self.endpoint)
        link.load += 1

    def marks_changed(self) -> None:
        """SNDHWM or RCVHWM was set."""
        super().marks_changed()
        tell_marks(self, self._bind)

    def _ask_to_listen(self) -> Bound:
        while True:
            try:
                answer = self.worker.ask(self._bind, Bound, self.key, self._given_fds())
            except WorkerGone as gone:
                self.socket.context.replace_worker(gone)  # raises when that is of no use
            else:
                # What came before the answer was read with it: nobody else will hear of that.
                self.socket.context.collect_events()
                assert isinstance(answer, Bound)
                return answer

    def _given_fds(self) -> tuple[int, ...]:
        return () if self._given is None else (self._given.number,)

    # -- events of the worker ----------------------------------------------------------------------

    def handle(self, event: Any, far_end: FarEnd | None = None) -> None:
        """Act upon an event about this endpoint."""
        lingers = self.key in self.socket.context.lingering
        if isinstance(event, Settled) or (lingers and isinstance(event, Replaced)):
            # In the latter case it went with the worker; the pipes have been let go.
            self.socket.context.settled(self.key)
            self._forget()
        elif lingers:
            refuse(event)
        elif isinstance(event, Arrived):
            assert far_end is not None, "it comes with this event"
            if not far_end.has_doorbell:
                self.socket.board.release(event.bit)
                self.worker.post(commands.Hangup(event.token))
                raise no_descriptor_left(self.endpoint)
            self._slot.add_to_counter(0)
            self._take_up(event, far_end.board)
        elif isinstance(event, Refused):
            self.socket.report(f"{self.endpoint}: {event.reason}")
        elif isinstance(event, Lost) and event.token in self._by_token:
            self._lose(self._by_token[event.token])
        elif isinstance(event, Replaced):
            self._go_on(event)
        elif isinstance(event, Bound) and event.errno:
            self.socket.report(f"{self.endpoint} cannot be listened on any more: {event.text}")

    def _lose(self, pipe: Pipe) -> None:
        self._slot.add_to_counter(1)
        pipe.lost = True
        del self._by_token[pipe.segment.token]
        if pipe.ended or pipe.dismissed:
            self.pipe_ended(pipe)

    def _go_on(self, event: Replaced) -> None:
        """Have a new worker process do what the one that ended did."""
        for token, pipe in list(self._by_token.items()):
            line = self._lines[pipe]
            if line.peer.pid == event.late:
                self._lose(pipe)  # it was carried by that process itself
            else:
                segment, bit = pipe.segment.name, pipe.bit
                self.worker.post(commands.Keep(self.key, token, segment, bit, line.peer))
        if self._listening:
            self.worker.post(self._bind, self._given_fds())
        else:
            self.worker.post(self._bind._replace(address=None))

    def _take_up(self, event: Arrived, board: Board | None) -> None:
        socket = self.socket
        try:
            segment = segments.open_segment(event.segment, Kind.PIPE)
        except ZMQError:
            # The far end went while it came, and took the pipe with it.
            socket.board.release(event.bit)
            self.worker.post(commands.Hangup(event.token))
            return
        segment.unlink()
        send_hwm, _ = high_water_marks(socket.options)
        pipe = Pipe(segment, 1, socket.board, event.bit, send_hwm)
        pipe.link = self
        pipe.returns = True
        pipe.set_max_part_size(self._max_part_size)
        pipe.conflating = take_conflation(event) or self._conflates
        pipe.routing_id = event.metadata.get("Identity", b"")
        pipe.metadata = {name: value.decode("latin-1") for name, value in event.metadata.items()}
        slot = socket.context.directory.add(Slot.PIPE, self.endpoint, self.key)
        pipe.count_in(slot)
        self._lines[pipe] = _Line(slot, event.peer)
        self._by_token[segment.token] = pipe
        socket.hold_pipe(pipe)
        attach_far_end(self, pipe, event.peer, board)
        if socket.pattern.accepts_another():
            socket.pattern.attach(pipe)
        else:
            self._hang_up(pipe)

    # -- pipes that end ----------------------------------------------------------------------------

    def pipe_ended(self, pipe: Pipe) -> None:
        """Let the pipe go; what its far end had not read went with that."""
        if pipe.dismissed and not pipe.lost:
            pipe.say_goodbye()  # the worker ends the stream behind it, and says Lost
            return
        if pipe.is_broken:
            self.socket.report(f"a peer of {self.endpoint} wrote nonsense: {pipe.describe()}")
        farewell = None if pipe in self._bidden_farewell else self.farewell()
        if farewell is None or pipe.is_broken or pipe.unwanted:
            self._bidden_farewell.discard(pipe)
            self._hang_up(pipe)
        else:
            self._bidden_farewell.add(pipe)
            pipe.say_last(farewell)
            self.socket.pattern.renewed(pipe)

    def _hang_up(self, pipe: Pipe) -> None:
        if pipe not in self._lines:
            return
        token = pipe.segment.token
        is_connected = self._by_token.get(token) is pipe
        self._let_go(pipe)
        if is_connected:
            self.worker.post(commands.Hangup(token))

    def _let_go(self, pipe: Pipe) -> None:
        line = self._lines.pop(pipe)
        if self._by_token.get(pipe.segment.token) is pipe:
            del self._by_token[pipe.segment.token]
        pipe.say_goodbye()
        self.forget_marks(pipe)
        self.socket.let_go(pipe)
        if pipe.lost:
            pipe.discard()
            clear_away(pipe.segment, pipe.segment.owner)
        pipe.detach()
        line.slot.free()

    # -- the user ----------------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop listening; those who are connected stay."""
        if self._listening:
            self._listening = False
            if self._given is not None:
                self._given.close()
            with contextlib.suppress(WorkerGone):  # whose successor will not listen
                self.worker.ask(commands.Unbind(self.key), commands.Unbound, self.key)
                self.socket.context.collect_events()  # see _ask_to_listen

    def close(self, linger_ms: int) -> None:
        """Stop listening and say goodbye to everybody.

        What was sent is there for peers that share memory to read; all others are given *linger_ms*
        by the worker to take it.
        """
        self.stop()
        pipes = list(self._lines)
        if linger_ms and pipes:
            unread = any(pipe.backlog for pipe in pipes)
            for pipe in pipes:
                self._let_go(pipe)
            self.hold(self.socket)
            self.worker.post(Linger(self.key, linger_ms, unread))
            self.socket.context.lingering[self.key] = self.socket.key
        else:
            for pipe in pipes:
                self._hang_up(pipe)
            self._forget()
        self.worker.load -= 1

    def _forget(self) -> None:
        self.socket.context.keepers.pop(self.key, None)
        self._slot.free()


class WorkerConnect(EndpointKeeper):
    """A connected endpoint that a worker dials.

    The pipe is there at once, before it has a far end.
    """

    is_bound = False

    def __init__(self, socket: Socket, endpoint: Endpoint, link: WorkerLink) -> None:
        super().__init__(socket, endpoint)
        self._context = socket.context
        self.worker: WorkerLink = link
        self._assigned_id = self.take_next_name()
        self._slot = self._context.directory.add(Slot.ENDPOINT, self.endpoint, socket.key)
        self._pipe_slot = self._context.directory.add(Slot.PIPE, self.endpoint, self._slot.key)
        self.key = self._slot.key
        self._immediate = bool(socket.options.snapshot().get("IMMEDIATE", 0))
        self._hiccup: bytes | None = None
        if socket.socket_type == SocketType.DEALER:
            self._hiccup = cast("bytes", socket.options[HICCUP_MSG]) or None
        pattern = socket.pattern
        segment = create_pipe_segment(
            outbound=ring_size(pattern.sends),
            inbound=ring_size(pattern.receives),
            token=os.urandom(16),
        )
        self.pipe = Pipe(segment, 0, socket.board, socket.board.allocate(), 0)
        self._await_far_end()
        self.pipe.link = self
        self.pipe.returns = True
        self.pipe.routing_id = self._assigned_id
        self.pipe.set_max_part_size(_max_part_size(socket))
        self.pipe.conflating = self._conflates = conflates(socket.options)
        self.pipe.count_in(self._pipe_slot)
        socket.hold_pipe(self.pipe)
        self._in_pattern = False
        if not self._immediate:
            self._enter_pattern()
        self._context.keepers[self.key] = self
        self._connect = commands.Connect(
            self.key,
            socket.key,
            *endpoint,
            options_for_worker(socket.options),
            pattern.name,
            segment.token,
            segment.name,
            self.pipe.bit,
            pattern.resumes and not self._immediate,
        )
        self._peer: PeerEnd | None = None
        self._linger_ends: float | None = None
        self._unread = False
        link.post(self._connect)
        link.load += 1

    def _await_far_end(self) -> None:
        """While there is no far end, what it would take in is not known: SNDHWM alone counts."""
        self.forget_marks(self.pipe)
        self.pipe.set_limits(high_water_marks(self.socket.options)[0], 0)

    def marks_changed(self) -> None:
        """SNDHWM or RCVHWM was set."""
        super().marks_changed()
        tell_marks(self, self._connect)
        if not self.pipe.is_attached:
            self._await_far_end()

    def _enter_pattern(self) -> None:
        if not self._in_pattern and self.socket.pattern.accepts_another():
            self._in_pattern = True
            self.socket.pattern.attach(self.pipe)

    def _leave_pattern(self) -> None:
        if self._in_pattern:
            self._in_pattern = False
            self.socket.pattern.detach(self.pipe)
            # What follows of the message at hand goes nowhere, so neither may its beginning.
            self.pipe.forget_unfinished()

    # -- events of the worker ----------------------------------------------------------------------

    def handle(self, event: Any, far_end: FarEnd | None = None) -> None:
        """Act upon an event about this endpoint."""
        if isinstance(event, Attached):
            assert far_end is not None, "it comes with this event"
            if not far_end.has_doorbell:
                self.worker.post(commands.Hangup(self.pipe.segment.token))
                raise no_descriptor_left(self.endpoint)
            self._slot.add_to_counter(0)
            self._attach(event, far_end.board)
        elif isinstance(event, Lost):
            try:
                self._renew()
            except ZMQError as error:
                if error.errno not in _PASSING:
                    raise
                # Nothing has changed, so the same can be tried again; meanwhile messages queue.
                self.socket.report(f"{self.endpoint} cannot go on to the next peer yet: {error}")
                self.socket.postpone((self, event, far_end))
        elif isinstance(event, Refused):
            self.socket.report(f"{self.endpoint}: {event.reason}")
        elif isinstance(event, Settled):
            self._settled(event.delivered)
        elif isinstance(event, Replaced):
            self._go_on(event)

    def _go_on(self, event: Replaced) -> None:
        """Have a new worker process do what the one that ended did."""
        pipe, peer = self.pipe, self._peer
        token, segment = pipe.segment.token, pipe.segment.name
        if peer is None:
            self.worker.post(self._connect._replace(segment=segment))
        elif peer.pid == event.late:  # the pipe was carried by that process itself
            self.worker.post(self._connect._replace(segment=""))
            self.handle(Lost(self.socket.key, self.key, token, "its worker ended"))
        else:
            self.worker.post(commands.Keep(self.key, token, segment, pipe.bit, peer))
            self.worker.post(self._connect._replace(segment=""))
        if self.key in self._context.lingering:
            self.worker.post(Linger(self.key, self._linger_left_ms(), self._unread))

    def _linger_left_ms(self) -> int:
        if self._linger_ends is None:
            return -1
        return max(0, round(1000 * (self._linger_ends - time.monotonic())))

    def _attach(self, event: Attached, board: Board | None) -> None:
        pipe = self.pipe
        pipe.conflating = take_conflation(event) or self._conflates
        pipe.routing_id = self._assigned_id or event.metadata.get("Identity", b"")
        pipe.metadata = {name: value.decode("latin-1") for name, value in event.metadata.items()}
        pipe.set_reader(ProcessId(event.peer.pid, event.peer.start))
        self._peer = event.peer
        if self.key in self._context.lingering:
            return  # all is said; the far end only has to read it
        attach_far_end(self, pipe, event.peer, board)
        self._enter_pattern()
        self.socket.pattern.identified(pipe)

    def _renew(self) -> None:
        """The far end is gone: keep what it left unread for the next one."""
        pipe = self.pipe
        pipe.lost = True
        pipe.detach()
        if self._immediate:
            self._leave_pattern()
        lost, far_end = pipe.segment, pipe.segment.reader
        segment = self._fresh_segment()
        clear_away(lost, far_end)
        self._peer = None
        self._slot.add_to_counter(1)
        self._await_far_end()
        self.socket.pattern.renewed(pipe)
        if not self._immediate:
            self._enter_pattern()
        self.worker.post(commands.Offer(self.key, segment.token, segment.name))

    def _fresh_segment(self) -> Segment:
        pipe = self.pipe
        keeps = self.socket.pattern.keeps_outbound and not pipe.is_broken and not pipe.unwanted
        try:
            segment = pipe.renew(keep_outbound=keeps, last_word=self._hiccup)
            pipe.unwanted = False
            return segment
        except ZMQError as error:
            if error.errno != errno.EPROTO:
                raise
            self.socket.report(f"the peer at {self.endpoint} wrote nonsense: {error}")
        # What it spoilt cannot be sent again. A message half written is dropped with the rest.
        self._leave_pattern()
        return pipe.renew(keep_outbound=False)

    def pipe_ended(self, pipe: Pipe) -> None:
        """Nothing more comes from this far end.

        The worker's Lost, which follows, brings a fresh segment.

        Until then nothing is sent here; but a message that is half written is finished first, and
        goes to the next far end as a whole.
        """
        if pipe.dismissed:
            self.socket.forget_endpoint(self)
            # Not all is over, only this connection: what was sent on it goes out, LINGER 0 or not.
            self.close(self.socket.linger_ms() or _LAST_WORDS_MS)
            return
        if pipe.is_broken or not pipe.is_sending:
            self._leave_pattern()
        if pipe.is_broken:
            self.socket.report(f"the peer at {self.endpoint} wrote nonsense: {pipe.describe()}")
        if pipe.is_broken or pipe.unwanted:
            self.worker.post(commands.Hangup(pipe.segment.token))

    # -- the user ----------------------------------------------------------------------------------

    def stop(self) -> None:
        """Disconnect; what was sent and not yet read is given the socket's linger time."""
        self.close(self.socket.linger_ms())

    def close(self, linger_ms: int) -> None:
        """End the connection, now or when what was sent is in other hands.

        That is within *linger_ms*, -1: whenever.
        """
        pipe, socket = self.pipe, self.socket
        unread = pipe.backlog > 0
        attached = pipe.is_attached
        self._leave_pattern()
        pipe.say_goodbye()
        socket.let_go(pipe)
        if linger_ms == 0 or not (attached or unread):
            self.worker.post(commands.Disconnect(self.key))
            if not attached:
                pipe.discard()
            self._forget()
            return
        self.hold(socket)
        self._unread = unread
        self._linger_ends = time.monotonic() + linger_ms / 1000 if linger_ms > 0 else None
        self.worker.post(Linger(self.key, linger_ms, unread))
        self._context.lingering[self.key] = socket.key

    def _settled(self, delivered: bool) -> None:
        self._context.settled(self.key)
        if not delivered:
            self.pipe.discard()  # else the names are the reader's, who may not have opened them yet
        self._forget()

    def give_up(self) -> None:
        """The process ends: nobody will take the pipe any more."""
        self.pipe.discard()

    def _forget(self) -> None:
        self.pipe.detach()
        self.worker.load -= 1
        self._context.keepers.pop(self.key, None)
        self._pipe_slot.free()
        self._slot.free()
