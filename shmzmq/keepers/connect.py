"""A connected endpoint that a worker dials, and its pipe, which is there before any far end is."""

from __future__ import annotations

import errno
import os
import time
from typing import TYPE_CHECKING, Any, Final, cast

from ..constants import HICCUP_MSG, IMMEDIATE, SocketType
from ..errors import ZMQError
from ..pipe import Pipe
from ..pipe_segment import create_pipe_segment, ring_size
from ..renewal import renew
from ..shm.board import Board
from ..shm.layout import Slot
from ..shm.liveness import ProcessId
from ..workers import commands
from ..workers.commands import Attached, GivenUp, Linger, Lost, PeerEnd, Refused, Settled
from .carried import attach_far_end, clear_away, max_part_size, take_conflation, tell_marks
from .far_end import FarEnd, no_descriptor_left
from .keeper import EndpointKeeper, Replaced
from .marks import conflates, high_water_marks, keep_last, options_for_worker

if TYPE_CHECKING:
    from ..endpoints import Endpoint
    from ..shm.segment import Segment
    from ..socket import Socket
    from ..workers.link import WorkerLink

_PASSING = (errno.ENOBUFS, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
"""What a fresh pipe may lack today and have a moment later: memory, a descriptor to map it by."""


_LAST_WORDS_MS: Final = 1000
"""How long a connection that the user has ended may take to be rid of what was sent on it."""


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
        self._immediate = bool(socket.options[IMMEDIATE])
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
        self.pipe.set_max_part_size(max_part_size(socket))
        self._conflates = conflates(socket.options)
        keep_last(self.pipe, pattern.name, self._conflates)
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
        self._given_up = False
        self._linger_ends: float | None = None
        self._unread = False
        link.post(self._connect)
        link.load += 1

    @property
    def _lingers(self) -> bool:
        """Whether the user is done with this endpoint, and what was sent waits for a far end."""
        return self.key in self._context.lingering

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
            if far_end.is_out_of_reach and not self._lingers:
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
                whose = self._context if self._lingers else self.socket
                whose.postpone((self, event, far_end))
        elif isinstance(event, Refused):
            self.socket.report(f"{self.endpoint}: {event.reason}")
        elif isinstance(event, GivenUp):
            self._give_up(event.reason)
        elif isinstance(event, Settled):
            self._settled(event.delivered)
        elif isinstance(event, Replaced):
            self._go_on(event)

    def _give_up(self, reason: str) -> None:
        """There will be no far end: what had come is still read, what was sent goes to nobody.

        So it is with libzmq. The endpoint is forgotten when all is read.
        """
        self.socket.report(f"{self.endpoint} is given up: {reason}")
        self._given_up = True
        self.pipe.lost = True
        self.pipe.detach()
        if self.pipe.ended:
            self.pipe_ended(self.pipe)

    def _go_on(self, event: Replaced) -> None:
        """Have a new worker process do what the one that ended did."""
        if self._given_up:
            return
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
        if self._lingers:
            self.worker.post(Linger(self.key, self._linger_left_ms(), self._unread))

    def _linger_left_ms(self) -> int:
        if self._linger_ends is None:
            return -1
        return max(0, round(1000 * (self._linger_ends - time.monotonic())))

    def _attach(self, event: Attached, board: Board | None) -> None:
        pipe = self.pipe
        keep_last(pipe, self.socket.pattern.name, take_conflation(event) or self._conflates)
        pipe.routing_id = self._assigned_id or event.metadata.get("Identity", b"")
        pipe.metadata = {name: value.decode("latin-1") for name, value in event.metadata.items()}
        pipe.set_reader(ProcessId(event.peer.pid, event.peer.start))
        self._peer = event.peer
        if self._lingers:
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
        if self._lingers:
            pipe.say_goodbye()  # again: what is for the far end alone is not carried over
        else:
            self._await_far_end()
            self.socket.pattern.renewed(pipe)
            if not self._immediate:
                self._enter_pattern()
        self.worker.post(commands.Offer(self.key, segment.token, segment.name))

    def _fresh_segment(self) -> Segment:
        pipe = self.pipe
        keeps = self.socket.pattern.keeps_outbound and not pipe.is_broken and not pipe.unwanted
        try:
            segment = renew(pipe, keep_outbound=keeps, last_word=self._hiccup)
            pipe.unwanted = False
            return segment
        except ZMQError as error:
            if error.errno != errno.EPROTO:
                raise
            self.socket.report(f"the peer at {self.endpoint} wrote nonsense: {error}")
        # What it spoilt cannot be sent again. A message half written is dropped with the rest.
        self._leave_pattern()
        return renew(pipe, keep_outbound=False)

    def pipe_ended(self, pipe: Pipe) -> None:
        """Nothing more comes from this far end.

        The worker's Lost, which follows, brings a fresh segment.

        Until then nothing is sent here; but a message that is half written is finished first, and
        goes to the next far end as a whole.
        """
        if self._given_up:
            self.socket.forget_endpoint(self)
            self.close(0)
            return
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
        lingers = linger_ms != 0 and (attached or unread)
        socket.let_go(pipe, lingers=lingers)
        if not lingers:
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
        self.pipe.end_lending()

    def _forget(self) -> None:
        self.pipe.detach()
        self.pipe.end_lending()
        self.worker.load -= 1
        self._context.keepers.pop(self.key, None)
        self._pipe_slot.free()
        self._slot.free()
