"""A bound endpoint that a worker listens on, and the pipes of those who connected."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ..constants import USE_FD
from ..errors import ZMQError
from ..pipe import Pipe
from ..shm import segment as segments
from ..shm.board import Board
from ..shm.layout import Kind, Slot
from ..workers import commands
from ..workers.commands import Arrived, Bound, Linger, Lost, PeerEnd, Refused, Settled
from ..workers.link import WorkerGone
from .carried import attach_far_end, clear_away, max_part_size, take_conflation, tell_marks
from .far_end import EXHAUSTED, FarEnd, no_descriptor_left, refuse
from .keeper import EndpointKeeper, Replaced
from .marks import conflates, high_water_marks, keep_last, options_for_worker
from .unwritten import Unwritten

if TYPE_CHECKING:
    from ..endpoints import Endpoint
    from ..shm.directory import DirectorySlot
    from ..socket import Socket
    from ..workers.link import WorkerLink


class GivenDescriptor:
    """The listening socket that the application made for a bind (USE_FD, or PRE_ALLOCATED_FD).

    It is the ZeroMQ socket's from then on, as in libzmq, and closed with the endpoint.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        try:
            self._identity = self._look()
        except OSError as error:
            raise ZMQError(
                error.errno, f"USE_FD = {number}: expected an open descriptor of a listening socket"
            ) from error

    def close(self) -> None:
        """Close it, unless that was done, and the number may be somebody else's by now."""
        with contextlib.suppress(OSError):
            if self._look() == self._identity:
                os.close(self.number)

    def _look(self) -> tuple[int, int]:
        found = os.fstat(self.number)
        return found.st_dev, found.st_ino


def _given_descriptor(socket: Socket) -> GivenDescriptor | None:
    """Return the descriptor that *socket* is to listen on. Raises ZMQError for a bad one."""
    number = cast("int", socket.options[USE_FD])
    return GivenDescriptor(number) if number >= 0 else None


class _Line(NamedTuple):
    """A pipe of a listening endpoint."""

    slot: DirectorySlot
    peer: PeerEnd


class _CutOff(NamedTuple):
    """An event that no worker tells: the one that carried the pipe *token* has died."""

    endpoint: int
    token: bytes


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
        self._unwritten = Unwritten()
        self._max_part_size = max_part_size(socket)
        self._conflates = conflates(socket.options)
        self._listening = False
        self._slot = socket.context.directory.add(Slot.ENDPOINT, str(endpoint), socket.key)
        self.key = self._slot.key
        self._bind = commands.Bind(
            self.key, socket.key, *endpoint, options_for_worker(socket.options), socket.pattern.name
        )
        socket.context.keepers[self.key] = self
        try:
            answer = self._ask_to_listen()
        except BaseException:  # Ctrl-C among them: what may listen by now is not to
            self.worker.post(commands.Unbind(self.key))
            self._forget()
            raise
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
                answer = self.worker.ask(
                    self._bind,
                    Bound,
                    self.key,
                    self._given_fds(),
                    self.socket.context.collect_events,
                )
            except WorkerGone:
                # What it had said comes first, then it is replaced; raises when that is of no use.
                self.socket.context.collect_events()
            else:
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
            if far_end.is_out_of_reach:
                self._turn_away(event)
                raise no_descriptor_left(self.endpoint)
            self._slot.add_to_counter(0)
            self._take_up(event, far_end.board)
        elif isinstance(event, Refused):
            self.socket.report(f"{self.endpoint}: {event.reason}")
        elif isinstance(event, Lost) and event.token in self._by_token:
            self._lose(self._by_token[event.token])
        elif isinstance(event, _CutOff) and event.token in self._by_token:
            self._cut_off(self._by_token[event.token])
        elif isinstance(event, Replaced):
            self._go_on(event)
        elif isinstance(event, Bound) and event.errno:
            self.socket.report(f"{self.endpoint} cannot be listened on any more: {event.text}")

    def _lose(self, pipe: Pipe) -> None:
        self._slot.add_to_counter(1)
        pipe.lost = True
        self.socket.pattern.far_end_gone(pipe)
        del self._by_token[pipe.segment.token]
        if pipe.ended or pipe.dismissed:
            self.pipe_ended(pipe)

    def _cut_off(self, pipe: Pipe) -> None:
        """Its worker has died: what that had not written is for the peer when it comes again."""
        if pipe.is_sending:  # the message that is being sent is finished first
            self.socket.postpone((self, _CutOff(self.key, pipe.segment.token), None))
            return
        self._unwritten.keep(pipe, self.socket.pattern)
        self._lose(pipe)

    def _go_on(self, event: Replaced) -> None:
        """Have a new worker process do what the one that ended did."""
        for token, pipe in list(self._by_token.items()):
            line = self._lines[pipe]
            if line.peer.pid == event.late:
                self._cut_off(pipe)  # it was carried by that process itself
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
        except ZMQError as error:
            self._turn_away(event)
            if error.errno in EXHAUSTED:
                raise no_descriptor_left(self.endpoint) from error
            return  # the far end went while it came, and took the pipe with it
        segment.unlink()
        send_hwm, _ = high_water_marks(socket.options)
        pipe = Pipe(segment, 1, socket.board, event.bit, send_hwm)
        pipe.link = self
        pipe.returns = True
        pipe.set_max_part_size(self._max_part_size)
        keep_last(pipe, socket.pattern.name, take_conflation(event) or self._conflates)
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
            if pipe.lost:  # the peer has gone already
                socket.pattern.far_end_gone(pipe)
            else:
                self._unwritten.hand_over(pipe, socket.pattern)
        else:
            self._hang_up(pipe)

    def _turn_away(self, event: Arrived) -> None:
        self.socket.board.release(event.bit)
        self.worker.post(commands.Hangup(event.token))

    # -- pipes that end ----------------------------------------------------------------------------

    def pipe_ended(self, pipe: Pipe) -> None:
        """Let the pipe go; what its far end had not read went with that."""
        if pipe.dismissed and not pipe.lost:
            pipe.say_goodbye()  # the worker ends the stream behind it, and says Lost
            return
        if pipe.is_broken:
            self.socket.report(f"a peer of {self.endpoint} wrote nonsense: {pipe.describe()}")
        if not self.bids_farewell(pipe):
            self._hang_up(pipe)

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
                # What came before the answer was read with it: nobody else will hear of that.
                self.socket.context.collect_events()

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
