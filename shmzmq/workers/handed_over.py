"""A connection that has become a pipe in shared memory between two applications.

`handover` has the words of it, and why they come in that order. Afterwards the stream is silent,
and its end says that the far end is gone.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from ..errors import ZMQError
from ..pipe_segment import check_pipe_segment
from ..shm import chain
from ..shm.board import open_board
from ..shm.liveness import ProcessId, is_alive
from . import handover
from .commands import PeerEnd
from .handover import Handover
from .kept import KeptPipe

if TYPE_CHECKING:
    from ..shm.segment import Segment
    from ..zmtp.events import Command
    from .hosting import HostedSocket
    from .stream import ByteStream

_OFFERED: Final = "waiting for the other side"
_BEGUN: Final = "begun"
_DONE: Final = "handed over"


class PipeHolder(Protocol):
    """The session, which knows the pipe and its owner."""

    segment: str
    token: bytes
    bit: int

    def pipe_ready(self, peer: PeerEnd, doorbell_fd: int) -> None:
        """The pipe has both its ends. The owner of the descriptor is now the callee."""

    def pipe_taken(self) -> None:
        """What is in the pipe is the far end's to read."""

    def find_kept(self, token: bytes) -> KeptPipe | None:
        """Return the pipe of ours with *token* whose link is down, if there is one."""


class HandedOver:
    """The handover of one pipe, or with *kept* the link of one that was handed over before.

    *marks* are our SNDHWM and RCVHWM.
    """

    def __init__(
        self,
        holder: PipeHolder,
        hosted: HostedSocket,
        stream: ByteStream,
        send_command: Callable[[str, bytes], bytes],
        marks: tuple[int, int],
        *,
        dialled: bool,
        kept: KeptPipe | None = None,
    ) -> None:
        self._holder = holder
        self._hosted = hosted
        self._stream = stream
        self._send_command = send_command
        self._marks = marks
        self._dialled = dialled
        self._state = _BEGUN
        self._peer: PeerEnd | None = None
        self._kept = kept
        self._peer_ends_it = False
        self.is_refused = False  # the far application has let the pipe go that we ask a link for
        self._doorbell_fd = -1  # the peer's, until the owner takes it
        self._claimed: Segment | None = None  # the pipe we accepted, until our application has it
        if kept is not None:
            self._say(handover.LINK, kept.token)
        elif dialled:
            ours = Handover(self._own_end(), holder.segment, holder.token)
            self._say(handover.PIPE, ours.encode(), with_doorbell=True)
            self._state = _OFFERED

    @property
    def is_done(self) -> bool:
        """Whether the pipe has both its ends."""
        return self._state == _DONE

    @property
    def cut(self) -> KeptPipe | None:
        """Now that the stream has ended: the pipe, if it goes on and only the link is down."""
        peer = self._peer
        if not self.is_done or self._peer_ends_it or peer is None:
            return None
        if not is_alive(ProcessId(peer.pid, peer.start)):
            return None
        return KeptPipe(self._holder.token, self._holder.segment, self._holder.bit, peer)

    def say_goodbye(self) -> None:
        """We are about to end the link, of which the dialling side is sure before we are."""
        if self.is_done or (self._state == _OFFERED and not self._dialled):
            self._say(handover.BYE)

    def close(self) -> None:
        """The connection is over: give back what our application has not taken."""
        if self._doorbell_fd >= 0:
            os.close(self._doorbell_fd)
            self._doorbell_fd = -1
        if not self._dialled and self._holder.bit >= 0 and not self.is_done:
            self._hosted.board.release(self._holder.bit)  # nobody in the application knows of it
            self._holder.bit = -1
        if self._claimed is not None and not self.is_done:
            with contextlib.suppress(ZMQError):
                chain.release(self._claimed)
        self._claimed = None
        # Nothing is said any more. The holder, which has us, may go at once, without the collector.
        del self._holder, self._send_command

    def stream_ended(self) -> None:
        """The peer has gone; if it died while it offered us its pipe, that is ours all the same.

        It cannot let the pipe go any more, nor offer it to another; what it published is for us.
        """
        if self._state == _OFFERED and self._peer_died():
            self._let_go()

    def on_command(self, command: Command) -> None:
        """Act upon what the other worker says. Raises ValueError and ZMQError for nonsense."""
        steps = _DIALLING if self._dialled else _ACCEPTING
        act = steps.get((self._state, command.name))
        if act is None:
            raise ValueError(f"a command {command.name!r} out of place")
        act(self, command.body)

    def _say(self, name: str, body: bytes = b"", *, with_doorbell: bool = False) -> None:
        fds = (self._hosted.board.doorbell.fileno(),) if with_doorbell else ()
        self._stream.write(self._send_command(name, body), fds)

    def _own_end(self) -> PeerEnd:
        return PeerEnd(
            self._hosted.board.name, self._holder.bit, *self._marks, *self._hosted.application
        )

    def _on_pipe(self, body: bytes) -> None:
        """Take the pipe that the dialling side offers, on behalf of our application."""
        offered = Handover.decode(body)
        holder = self._holder
        self._peer = offered.end
        self._take_doorbell()
        try:
            reader = ProcessId(*self._hosted.application)
            self._claimed = check_pipe_segment(offered.segment, offered.token, reader)
            open_board(offered.end.board, os.dup(self._doorbell_fd))
        except ZMQError as error:
            self._say(handover.NO, str(error).encode())
            raise
        holder.segment, holder.token = offered.segment, offered.token
        holder.bit = self._hosted.board.allocate()
        self._say(handover.TAKE, Handover(self._own_end()).encode(), with_doorbell=True)
        self._state = _OFFERED

    def _on_taken(self, body: bytes) -> None:
        """The peer has our pipe; have our application hear of it before the peer's is let loose.

        Why in this order: see handover.
        """
        self._peer = Handover.decode(body).end
        self._take_doorbell()
        self._state = _DONE
        self._holder.pipe_ready(self._peer, self._give_doorbell())
        self._say(handover.GO)

    def _on_go(self, _: bytes) -> None:
        self._let_go()
        self._say(handover.HAVE)

    def _on_arrived(self, _: bytes) -> None:
        self._holder.pipe_taken()

    def _on_goodbye(self, _: bytes) -> None:
        self._peer_ends_it = True

    def _on_refusal(self, body: bytes) -> None:
        """A link is refused for good only by the far application; another may listen there now."""
        peer = self._kept and self._kept.peer
        self.is_refused = peer is not None and body == b"%d %d" % (peer.pid, peer.start)
        raise ValueError(f"the peer cannot take the pipe: {body[:200]!r}")

    # -- links that are taken up again -------------------------------------------------------------

    def _on_link(self, token: bytes) -> None:
        kept = self._holder.find_kept(token)
        if kept is None:
            self._say(handover.NO, b"%d %d" % self._hosted.application)
            raise ValueError("the peer asks for the link of a pipe that is not here any more")
        self._take_up_link(kept)
        self._say(handover.LINKED)

    def _on_linked(self, _: bytes) -> None:
        assert self._kept is not None, "without it a pipe was offered at once, and this was not"
        self._take_up_link(self._kept)
        self._holder.pipe_taken()

    def _take_up_link(self, kept: KeptPipe) -> None:
        holder = self._holder
        holder.token, holder.segment, holder.bit, self._peer = kept
        self._state = _DONE

    def _let_go(self) -> None:
        """Let our application have the pipe that it was offered."""
        assert self._peer is not None, "set when the pipe was accepted"
        self._state = _DONE
        self._claimed = None
        self._holder.pipe_ready(self._peer, self._give_doorbell())

    def _peer_died(self) -> bool:
        """Whether the application that offered us a pipe is dead."""
        if self._dialled or self._peer is None:
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


# What may come in which state, and who acts upon it.
_DIALLING: Final = {
    (_BEGUN, handover.LINKED): HandedOver._on_linked,
    (_BEGUN, handover.NO): HandedOver._on_refusal,
    (_OFFERED, handover.TAKE): HandedOver._on_taken,
    (_OFFERED, handover.NO): HandedOver._on_refusal,
    (_DONE, handover.HAVE): HandedOver._on_arrived,
    (_DONE, handover.BYE): HandedOver._on_goodbye,
}
_ACCEPTING: Final = {
    (_BEGUN, handover.PIPE): HandedOver._on_pipe,
    (_BEGUN, handover.LINK): HandedOver._on_link,
    (_OFFERED, handover.GO): HandedOver._on_go,
    (_DONE, handover.BYE): HandedOver._on_goodbye,
}
