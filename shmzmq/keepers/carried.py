"""What endpoints that a worker carries have in common.

The worker finds the far ends and loses them; here their pipes are taken up, renewed and let go, on
the thread that uses the socket. The events come in the order in which the worker wrote them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ..constants import MAXMSGSIZE
from ..pipe import Pipe
from ..shm import segment as segments
from ..shm.board import Board
from ..shm.liveness import ProcessId, is_alive
from ..workers import commands
from ..workers.commands import Arrived, Attached, PeerEnd
from .keeper import EndpointKeeper
from .marks import high_water_marks

if TYPE_CHECKING:
    from ..shm.segment import Segment
    from ..socket import Socket


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


def max_part_size(socket: Socket) -> int:
    """Return MAXMSGSIZE, -1 for none: plain bytes are not in messages, so none is too large."""
    is_raw = socket.pattern.name == "STREAM"
    return -1 if is_raw else int(cast("int", socket.options[MAXMSGSIZE]))


def take_conflation(event: Arrived | Attached) -> bool:
    """Whether the far end sends messages of which only the last is to be kept (its CONFLATE)."""
    return event.metadata.pop(commands.CONFLATES, None) is not None
