"""What every endpoint of a socket has in common: the bond to its socket, its pipes' limits."""

from __future__ import annotations

import contextlib
import errno
import os
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from .constants import CONFLATE, CONNECT_ROUTING_ID, DISCONNECT_MSG, SocketType
from .errors import ZMQError
from .options import BY_NUMBER
from .shm import chain
from .shm.board import Board, open_board

if TYPE_CHECKING:
    from .endpoints import Endpoint
    from .options import OptionValues
    from .pipe import Pipe
    from .socket import Socket
    from .workers.commands import PeerEnd
    from .workers.pool import WorkerLink


class Replaced(NamedTuple):
    """An event that no worker tells: another process has taken the place of one that ended."""

    endpoint: int
    late: int  # pid of the one that ended


# Types that tell their peers apart; to others a farewell would be a message like any.
_HEARS_FAREWELLS = (SocketType.ROUTER,)


class FarEnd(NamedTuple):
    """What an event brought of a pipe's far end."""

    board: Board | None  # None: its owner has gone, or no descriptor was left for its doorbell
    has_doorbell: bool


class PeerBoards:
    """The far ends' boards, each opened once for all pipes to that socket."""

    def __init__(self) -> None:
        self._boards: weakref.WeakValueDictionary[str, Board] = weakref.WeakValueDictionary()

    def take_in(self, event: Any, fds: list[int]) -> FarEnd | None:
        """Return the far end that *event* tells of, None when it is about something else.

        Owns *fds*. An event that waits to be acted upon so holds no descriptor of its own.
        """
        peer: PeerEnd | None = getattr(event, "peer", None)
        if peer is None:
            refuse_fds(fds)
            return None
        if not fds:
            return FarEnd(None, False)
        board = self._boards.get(peer.board)
        if board is not None:
            refuse_fds(fds)
            return FarEnd(board, True)
        try:
            board = self._boards[peer.board] = open_board(peer.board, fds[0])
        except ZMQError:
            return FarEnd(None, True)
        return FarEnd(board, True)


class EndpointKeeper:
    """What a socket keeps for each bind and connect.

    Its bond to the socket is weak, so that a forgotten socket is closed when it is forgotten.
    """

    key: int
    endpoint: str  # as LAST_ENDPOINT has it
    written: str  # as the user wrote it
    is_bound: bool
    worker: WorkerLink | None = None

    def handle(self, event: Any, far_end: FarEnd | None = None) -> None:
        """Act upon an event of the worker; *far_end* comes with Arrived and Attached."""
        raise NotImplementedError

    def __init__(self, socket: Socket, endpoint: Endpoint) -> None:
        self.endpoint = self.written = str(endpoint)
        self._socket_ref = weakref.ref(socket)
        self._held: Socket | None = None
        self._pipe_marks: dict[Pipe, tuple[int, int]] = {}

    @property
    def socket(self) -> Socket:
        """The socket that this is an endpoint of."""
        socket = self._held or self._socket_ref()
        assert socket is not None, "a socket closes its endpoints before it goes"
        return socket

    def hold(self, socket: Socket) -> None:
        """The socket is being closed; it stays until this endpoint is done with."""
        self._held = socket

    def pipe_ended(self, pipe: Pipe) -> None:
        """Nothing can come from *pipe* any more."""
        raise NotImplementedError

    def stop(self) -> None:
        """The user's unbind or disconnect."""
        raise NotImplementedError

    def close(self, linger_ms: int) -> None:
        """The socket is being closed; what waits for a far end has *linger_ms* (-1: for ever)."""
        raise NotImplementedError

    def give_up(self) -> None:
        """The context ends and this endpoint is still there: nobody will take what it holds."""

    def note_marks(self, pipe: Pipe, theirs: tuple[int, int]) -> None:
        """Set the limits of *pipe* by our high water marks and *theirs* (SNDHWM, RCVHWM)."""
        self._pipe_marks[pipe] = theirs
        send_hwm, receive_hwm = high_water_marks(self.socket.options)
        pipe.set_limits(combine_marks(send_hwm, theirs[1]), combine_marks(receive_hwm, theirs[0]))

    def take_next_name(self) -> bytes:
        """Return the name that CONNECT_ROUTING_ID has for this peer, b"" for none; it counts once.

        Raises ZMQError(EADDRINUSE) for a name that another peer of this socket has; it is used up.
        """
        options = self.socket.options
        if CONNECT_ROUTING_ID not in options:
            return b""
        name = bytes(cast("bytes", options.take(CONNECT_ROUTING_ID)))
        has_name = getattr(self.socket.pattern, "has_name", None)
        if has_name is None:
            return b""
        if has_name(name):
            raise ZMQError(
                errno.EADDRINUSE, f"CONNECT_ROUTING_ID {name!r} is the name of another peer"
            )
        return name

    def farewell(self) -> bytes | None:
        """Return the message of a peer that is gone, None for none (DISCONNECT_MSG)."""
        socket = self.socket
        if socket.closed or socket.socket_type not in _HEARS_FAREWELLS:
            return None
        return cast("bytes", socket.options[DISCONNECT_MSG]) or None

    def forget_marks(self, pipe: Pipe) -> None:
        """The pipe is let go."""
        self._pipe_marks.pop(pipe, None)

    def marks_changed(self) -> None:
        """Our high water marks were set anew: pipes that are there go by them from now on."""
        for pipe, theirs in self._pipe_marks.items():
            self.note_marks(pipe, theirs)


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


def combine_marks(ours: int, theirs: int) -> int:
    """Return the limit of a pipe: both high water marks together, none (0) when either is none.

    Where *theirs* is -1, ours counts alone: the far end is a worker, which keeps no messages.
    """
    if theirs < 0:
        return ours
    return ours + theirs if ours and theirs else 0


def high_water_marks(options: OptionValues) -> tuple[int, int]:
    """Return SNDHWM and RCVHWM, which do not count where only the last message is kept."""
    if conflates(options):
        return 0, 0
    marks: Any = options.snapshot()
    return marks.get("SNDHWM", 1000), marks.get("RCVHWM", 1000)


def conflates(options: OptionValues) -> bool:
    """Whether the socket keeps only the last message (CONFLATE), which not all types can."""
    return bool(options[CONFLATE]) and options.socket_type in BY_NUMBER[CONFLATE].sockets


def options_for_worker(options: OptionValues) -> dict[str, Any]:
    """Return what was set, as it counts for connections."""
    snapshot: dict[str, Any] = dict(options.snapshot())
    snapshot.pop("CONFLATE", None)
    if conflates(options):
        snapshot |= {"CONFLATE": 1, "SNDHWM": 0, "RCVHWM": 0}
    return snapshot


def refuse_fds(fds: Sequence[int]) -> None:
    """Close descriptors that came with an event nobody waits for any more."""
    for fd in fds:
        os.close(fd)


def refuse(event: Any, fds: Sequence[int] = ()) -> None:
    """Let go what an event brought that nobody waits for any more: descriptors, a pipe's names."""
    refuse_fds(fds)
    arrived: str | None = getattr(event, "segment", None)
    if arrived is not None:
        chain.unlink(arrived)


def no_such_endpoint(endpoint: str, what: str) -> ZMQError:
    """Return the error for an unbind or disconnect of what was never bound or connected."""
    return ZMQError(errno.ENOENT, f"{endpoint!r} is not {what} by this socket")


def no_descriptor_left(endpoint: str) -> ZMQError:
    """Return the error for a peer whose doorbell found no free descriptor in this process."""
    return ZMQError(
        errno.EMFILE,
        f"{endpoint}: no descriptor is left for another peer; each takes one (see RLIMIT_NOFILE)",
    )
