"""A session: one connection from its handshake to its end, on either side.

The bytes are ZMTP's affair until both peers are ready. Then the session hands the pipe over to the
two applications (see handover), and from there on only watches who is alive.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..errors import ZMQError
from ..pipe_segment import check_pipe_segment
from ..shm import chain
from ..shm.board import open_board
from ..shm.liveness import ProcessId, is_alive
from ..zmtp import events
from ..zmtp.connection import Connection
from ..zmtp.mechanisms.null import NullMechanism
from ..zmtp.options import ConnectionOptions
from . import handover
from .commands import PeerEnd
from .handover import Handover
from .reactor import Reactor, Timer
from .stream import ByteStream

if TYPE_CHECKING:
    import socket

    from ..shm.segment import Segment
    from .hosting import HostedSocket

_IDLE: Final = "handshake"
_PASSED: Final = "waiting for the other side"
_DONE: Final = "handed over"


class SessionOwner(Protocol):
    """Who made the session and hears what becomes of it."""

    def session_ready(self, session: Session, peer: PeerEnd, doorbell_fd: int) -> None:
        """The pipe has both its ends. The owner of the descriptor is now the callee."""

    def session_taken(self, session: Session) -> None:
        """The far end's application has been told of the pipe that we offered."""

    def session_ended(self, session: Session, reason: str, *, was_ready: bool) -> None:
        """The connection is over; called once, and not when the owner closed it."""


class Session:
    """One connection of *hosted*'s socket over *stream*.

    *pipe* is (segment, token, bit) where we dialled.

    After the handover `token`, `segment` and `bit` tell which pipe it is, `metadata` who
    the peer is.
    """

    def __init__(
        self,
        reactor: Reactor,
        stream: socket.socket,
        hosted: HostedSocket,
        options: Mapping[str, Any],
        socket_type: str,
        owner: SessionOwner,
        pipe: tuple[str, bytes, int] | None = None,
    ) -> None:
        self._reactor = reactor
        self._hosted = hosted
        self._options = options
        self._owner = owner
        self._dialled = pipe is not None
        self.segment, self.token, self.bit = pipe or ("", b"", -1)
        self.metadata: dict[str, bytes] = {}
        self._peer: PeerEnd | None = None
        self._state = _IDLE
        self._timer: Timer | None = None
        self._doorbell_fd = -1  # the peer's, until the owner takes it
        self.is_taken = (
            False  # where we dialled: the far end's application has been told of the pipe
        )
        self._claimed: Segment | None = None  # the pipe we accepted, until our application has it
        settings = ConnectionOptions(
            socket_type=socket_type,
            identity=options.get("ROUTING_ID", b""),
            metadata={handover.PROPERTY: handover.offer()},
            handshake_ivl_ms=options.get("HANDSHAKE_IVL", 30_000),
        )
        self._zmtp = Connection(settings, NullMechanism(), reactor.now())
        self._stream = ByteStream(reactor, stream, self._on_data, self._end)
        self._advance()

    @property
    def is_ready(self) -> bool:
        """Whether the pipe has both its ends."""
        return self._state == _DONE

    def close(self) -> None:
        """End the connection without telling the owner."""
        self._stop_timer()
        self._stream.close()
        if self._doorbell_fd >= 0:
            os.close(self._doorbell_fd)
            self._doorbell_fd = -1
        if not self._dialled and self.bit >= 0 and not self.is_ready:
            self._hosted.board.release(self.bit)  # nobody in the application knows of it
            self.bit = -1
        if self._claimed is not None and not self.is_ready:
            with contextlib.suppress(ZMQError):
                chain.release(self._claimed)
        self._claimed = None

    def _end(self, reason: str) -> None:
        if self._state == _PASSED and self._peer_died():
            # It cannot let the pipe go any more, nor offer it to another: what it published is for
            # us.
            self._let_go()
        was_ready = self.is_ready
        self.close()
        self._owner.session_ended(self, reason, was_ready=was_ready)

    # -- bytes and time ----------------------------------------------------------------------------

    def _on_data(self, data: bytes) -> None:
        self._zmtp.receive_data(data, self._reactor.now())
        self._advance()

    def _on_timer(self) -> None:
        self._timer = None
        self._zmtp.handle_timeout(self._reactor.now())
        self._advance()

    def _advance(self) -> None:
        """Handle what the bytes meant, send what is due, and set the timer anew."""
        try:
            while (event := self._zmtp.next_event()) is not None:
                self._stream.write(self._zmtp.data_to_send())
                if isinstance(event, events.Ended):
                    self._end(f"{type(event).__name__}: {getattr(event, 'text', '')}")
                    return
                if isinstance(event, events.HandshakeDone):
                    self._on_handshake(event)
                elif isinstance(event, events.Command):
                    self._on_command(event)
        except (ZMQError, ValueError, OSError) as error:
            self._end(str(error))
            return
        self._stream.write(self._zmtp.data_to_send())
        self._stop_timer()
        due = self._zmtp.next_timeout()
        if due is not None and not self.is_ready:
            self._timer = self._reactor.call_at(due, self._on_timer)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- the handover ------------------------------------------------------------------------------

    def _on_handshake(self, event: events.HandshakeDone) -> None:
        self.metadata = {**event.metadata}
        pid, uid, gid = self._stream.peer_credentials()
        self.metadata["Peer-Address"] = f"localhost:{uid}:{gid}:{pid}".encode()
        theirs = self.metadata.pop(handover.PROPERTY, None)
        if not handover.is_accepted(theirs) or uid != os.getuid():
            raise ValueError(
                "the peer cannot share memory with us, and ZMTP is not carried here yet"
            )
        if self._dialled:
            ours = Handover(self._own_end(), self.segment, self.token)
            self._say(handover.PIPE, ours.encode(), with_doorbell=True)
            self._state = _PASSED

    def _say(self, name: str, body: bytes = b"", *, with_doorbell: bool = False) -> None:
        self._zmtp.send_command(name, body)
        fds = (self._hosted.board.doorbell.fileno(),) if with_doorbell else ()
        self._stream.write(self._zmtp.data_to_send(), fds)

    def _own_end(self) -> PeerEnd:
        return PeerEnd(
            self._hosted.board.name,
            self.bit,
            self._options.get("SNDHWM", 1000),
            self._options.get("RCVHWM", 1000),
            *self._hosted.application,
        )

    def _on_command(self, command: events.Command) -> None:
        if command.name == handover.NO:
            raise ValueError(f"the peer cannot take the pipe: {command.body[:200]!r}")
        if command.name == handover.PIPE and not self._dialled and self._state == _IDLE:
            self._accept(Handover.decode(command.body))
        elif command.name == handover.TAKE and self._dialled and self._state == _PASSED:
            self._peer = Handover.decode(command.body).end
            self._take_doorbell()
            self._state = _DONE
            # Our application hears of its far end before that one is let loose: see handover.
            self._owner.session_ready(self, self._peer, self._give_doorbell())
            self._say(handover.GO)
        elif command.name == handover.GO and not self._dialled and self._state == _PASSED:
            self._let_go()
            self._say(handover.HAVE)
        elif command.name == handover.HAVE and self._dialled and self._state == _DONE:
            self.is_taken = True
            self._owner.session_taken(self)
        else:
            raise ValueError(f"a command {command.name!r} out of place")

    def _accept(self, offered: Handover) -> None:
        """Take the pipe that the dialling side offers, on behalf of our application."""
        self._peer = offered.end
        self._take_doorbell()
        try:
            reader = ProcessId(*self._hosted.application)
            self._claimed = check_pipe_segment(offered.segment, offered.token, reader)
            open_board(offered.end.board, os.dup(self._doorbell_fd))
        except ZMQError as error:
            self._say(handover.NO, str(error).encode())
            raise
        self.segment, self.token = offered.segment, offered.token
        self.bit = self._hosted.board.allocate()
        self._say(handover.TAKE, Handover(self._own_end()).encode(), with_doorbell=True)
        self._state = _PASSED

    def _let_go(self) -> None:
        """Let our application have the pipe that it was offered."""
        assert self._peer is not None, "set when the pipe was accepted"
        self._state = _DONE
        self._claimed = None
        self._owner.session_ready(self, self._peer, self._give_doorbell())

    def _peer_died(self) -> bool:
        """Whether the application that offered us a pipe is dead.

        It is not where its pid means nothing.
        """
        if self._dialled or self._peer is None or not self._peer.pid:
            return False
        return not is_alive(ProcessId(self._peer.pid, self._peer.start))

    def _take_doorbell(self) -> None:
        fd = self._stream.take_fd()
        if fd is None:
            raise ValueError("the peer sent no doorbell")
        self._doorbell_fd = fd

    def _give_doorbell(self) -> int:
        fd, self._doorbell_fd = self._doorbell_fd, -1
        return fd
