"""What a socket keeps for each bind and connect."""

from __future__ import annotations

import errno
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ..constants import CONNECT_ROUTING_ID, DISCONNECT_MSG, SocketType
from ..errors import ZMQError
from ..renewal import say_last
from .marks import combine_marks, high_water_marks

if TYPE_CHECKING:
    from ..endpoints import Endpoint
    from ..pipe import Pipe
    from ..socket import Socket
    from ..workers.link import WorkerLink
    from .far_end import FarEnd

# Types that tell their peers apart; to others a farewell would be a message like any.
_HEARS_FAREWELLS = (SocketType.ROUTER,)


class Replaced(NamedTuple):
    """An event that no worker tells: another process has taken the place of one that ended."""

    endpoint: int
    late: int  # pid of the one that ended


class EndpointKeeper:
    """What a socket keeps for each bind and connect.

    Its bond to the socket is weak, so that a forgotten socket is closed when it is forgotten.
    """

    key: int
    endpoint: str  # as LAST_ENDPOINT has it
    written: str  # as the user wrote it
    is_bound: bool
    worker: WorkerLink | None = None

    def __init__(self, socket: Socket, endpoint: Endpoint) -> None:
        self.endpoint = self.written = str(endpoint)
        self._socket_ref = weakref.ref(socket)
        self._held: Socket | None = None
        self._pipe_marks: dict[Pipe, tuple[int, int]] = {}
        self._bidden_farewell: set[Pipe] = set()

    @property
    def socket(self) -> Socket:
        """The socket that this is an endpoint of."""
        socket = self._held or self._socket_ref()
        assert socket is not None, "a socket closes its endpoints before it goes"
        return socket

    def hold(self, socket: Socket) -> None:
        """The socket is being closed; it stays until this endpoint is done with."""
        self._held = socket

    def handle(self, event: Any, far_end: FarEnd | None = None) -> None:
        """Act upon an event of the worker; *far_end* comes with Arrived and Attached."""
        raise NotImplementedError

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

    def bids_farewell(self, pipe: Pipe) -> bool:
        """Have DISCONNECT_MSG read from *pipe*, whose peer is gone; false when there is none.

        A pipe that has one ends once more when it is read, and then the answer is false.
        """
        said = pipe in self._bidden_farewell
        self._bidden_farewell.discard(pipe)
        farewell = None if said or pipe.is_broken or pipe.unwanted else self._farewell()
        if farewell is None:
            return False
        self._bidden_farewell.add(pipe)
        say_last(pipe, farewell)
        self.socket.pattern.renewed(pipe)
        return True

    def _farewell(self) -> bytes | None:
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
