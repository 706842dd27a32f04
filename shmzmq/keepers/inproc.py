"""Endpoints inside one context: names, and pipes between two sockets of this process.

The connecting socket makes the pipe in memory that only this process sees, and lays its far end
before the bound socket, whose thread takes it up when it next looks for news. A name may be
connected to before it is bound (since libzmq 4.0); the pipes then wait for it.
"""

from __future__ import annotations

import errno
from collections import deque
from typing import TYPE_CHECKING, NamedTuple, cast

from ..constants import ROUTING_ID
from ..errors import ZMQError
from ..pipe import Pipe
from ..pipe_segment import create_pipe_segment, ring_size
from ..shm import directory
from ..shm.board import Board, Control
from ..shm.directory import DirectorySlot
from ..shm.layout import Slot
from ..shm.segment import Segment
from .keeper import EndpointKeeper
from .marks import conflates, high_water_marks, keep_last

if TYPE_CHECKING:
    from ..endpoints import Endpoint
    from ..socket import Socket


class Visit(NamedTuple):
    """The far end of a new pipe, laid before the socket that is bound to the name."""

    keeper: InprocConnect
    segment: Segment
    board: Board
    bit: int
    marks: tuple[int, int]
    routing_id: bytes
    bit_there: int
    conflates: bool


class InprocNames:
    """The inproc names of one context. Guarded by the context's lock."""

    def __init__(self) -> None:
        self._bound: dict[str, InprocBind] = {}
        self._waiting: dict[str, deque[InprocConnect]] = {}

    def bind(self, name: str, keeper: InprocBind) -> None:
        """Give *name* to *keeper*, and to it the pipes that wait for the name."""
        if name in self._bound:
            raise ZMQError(errno.EADDRINUSE, f"inproc://{name} is bound in this context already")
        self._bound[name] = keeper
        for connect in self._waiting.pop(name, ()):
            connect.meet(keeper)

    def unbind(self, name: str) -> None:
        """Take *name* back."""
        self._bound.pop(name, None)

    def connect(self, name: str, keeper: InprocConnect) -> None:
        """Join *keeper*'s pipe to whoever has *name*, now or when somebody binds it."""
        bound = self._bound.get(name)
        if bound is not None:
            keeper.meet(bound)
        else:
            self._waiting.setdefault(name, deque()).append(keeper)

    def stop_waiting(self, name: str, keeper: InprocConnect) -> None:
        """Forget a connect that waits."""
        waiting = self._waiting.get(name)
        if waiting and keeper in waiting:
            waiting.remove(keeper)
            if not waiting:
                del self._waiting[name]


class _PipeKeeper(EndpointKeeper):
    """What both sides do with a pipe: count it, and let it go."""

    def __init__(self, socket: Socket, endpoint: Endpoint) -> None:
        self._name = endpoint.address
        super().__init__(socket, endpoint)
        self._names = socket.context.inproc
        self._slot = socket.context.directory.add(Slot.ENDPOINT, self.endpoint, socket.key)
        self._pipes: dict[Pipe, DirectorySlot] = {}

    def _take_in(self, pipe: Pipe) -> None:
        slot = self.socket.context.directory.add(Slot.PIPE, self.endpoint, self._slot.key)
        self._pipes[pipe] = slot
        pipe.link = self
        pipe.count_in(slot)
        self.socket.hold_pipe(pipe)

    def pipe_ended(self, pipe: Pipe) -> None:
        """Let *pipe* go; inproc connections do not come back."""
        if self.is_bound and self.bids_farewell(pipe):
            return
        slot = self._pipes.pop(pipe, None)
        if slot is None:
            return
        pipe.say_goodbye()
        self.forget_marks(pipe)
        self.socket.let_go(pipe)
        pipe.detach()
        slot.free()

    def _count_no_more(self, pipe: Pipe) -> None:
        pipe.count_in(directory.scratch())
        slot = self._pipes.pop(pipe, None)  # None: it met its peer meanwhile, and that has gone
        if slot is not None:
            slot.free()

    def _end_all(self) -> None:
        for pipe in list(self._pipes):
            self.pipe_ended(pipe)


class InprocBind(_PipeKeeper):
    """A name bound by a socket."""

    is_bound = True

    def __init__(self, socket: Socket, endpoint: Endpoint) -> None:
        super().__init__(socket, endpoint)
        self._visits: deque[Visit] = deque()
        with socket.context.lock:
            try:
                self._names.bind(self._name, self)
            except ZMQError:
                self._slot.free()
                raise

    def receive(self, visit: Visit) -> None:
        """Called by the connecting thread: have our own take up the far end of its pipe."""
        self._visits.append(visit)
        self.socket.board.notify(Control.ATTACH)

    def take_up_visits(self) -> None:
        """Called by our own thread when it looks for news."""
        while self._visits:
            visit = self._visits.popleft()
            pipe = Pipe(visit.segment, 1, self.socket.board, visit.bit, 0)
            self._take_in(pipe)
            pipe.routing_id = visit.routing_id
            keep_last(pipe, self.socket.pattern.name, visit.conflates)
            self.note_marks(pipe, visit.marks)
            pipe.attach(visit.board, visit.bit_there)
            if self.socket.pattern.accepts_another():
                self.socket.pattern.attach(pipe)
            else:
                self.pipe_ended(pipe)

    def stop(self) -> None:
        """Unbind: the name is free, pipes stay."""
        with self.socket.context.lock:
            self._names.unbind(self._name)

    def close(self, linger_ms: int) -> None:
        """Unbind and say goodbye to everybody."""
        self.stop()
        self.take_up_visits()
        self._end_all()
        self._slot.free()


class InprocConnect(_PipeKeeper):
    """A connection to a name; the pipe is there at once."""

    is_bound = False

    def __init__(self, socket: Socket, endpoint: Endpoint) -> None:
        super().__init__(socket, endpoint)
        pattern = socket.pattern
        segment = create_pipe_segment(
            outbound=ring_size(pattern.sends), inbound=ring_size(pattern.receives), private=True
        )
        segment.unlink()
        try:
            self._assigned_id = self.take_next_name()
        except ZMQError:
            self._slot.free()
            raise
        self._marks = high_water_marks(socket.options)
        self._routing_id = cast("bytes", socket.options[ROUTING_ID])
        self.pipe = Pipe(segment, 0, socket.board, socket.board.allocate(), self._marks[0])
        self.pipe.routing_id = self._assigned_id
        self._conflates = conflates(socket.options)
        keep_last(self.pipe, pattern.name, self._conflates)
        self._take_in(self.pipe)
        socket.pattern.attach(self.pipe)
        with socket.context.lock:
            self._names.connect(self._name, self)

    def meet(self, bound: InprocBind) -> None:
        """Join the pipe to the socket that has the name.

        Called under the context's lock, by either.
        """
        pipe, there = self.pipe, bound.socket
        bit = there.board.allocate()
        theirs = high_water_marks(there.options)
        conflating = self._conflates or conflates(there.options)
        keep_last(pipe, self.socket.pattern.name, conflating)
        bound.receive(
            Visit(
                self,
                pipe.segment,
                pipe.own,
                bit,
                self._marks,
                self._routing_id,
                pipe.bit,
                conflating,
            )
        )
        theirs_id = cast("bytes", there.options[ROUTING_ID])
        pipe.routing_id = self._assigned_id or theirs_id
        self.note_marks(pipe, theirs)
        pipe.attach(there.board, bit)
        if pipe in self._pipes:  # else we are done with it, and it only has to be read
            self.socket.pattern.identified(pipe)

    def stop(self) -> None:
        """Disconnect."""
        self.close(self.socket.linger_ms())

    def close(self, linger_ms: int) -> None:
        """Say goodbye.

        Messages sent to a name that nobody has bound yet wait for it, unless linger is 0.
        """
        with self.socket.context.lock:
            if not self.pipe.is_attached and (linger_ms == 0 or not self.pipe.backlog):
                self._names.stop_waiting(self._name, self)
        waiting = not self.pipe.is_attached
        if waiting and linger_ms != 0 and self.pipe.backlog:
            self.hold(self.socket)  # who binds the name meets it
            self.pipe.say_goodbye()
            self.socket.let_go(self.pipe)
            self._count_no_more(self.pipe)
        else:
            self._end_all()
        self._slot.free()
