"""What a worker's event brings of a pipe's far end: its board, and the descriptor of a doorbell."""

from __future__ import annotations

import errno
import os
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import ZMQError
from ..shm import chain
from ..shm.board import Board, open_board

if TYPE_CHECKING:
    from ..workers.commands import PeerEnd


EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""What opening something may fail with that is there."""


class FarEnd(NamedTuple):
    """What an event brought of a pipe's far end."""

    board: Board | None  # None: its owner has gone, unless it was out of reach
    is_out_of_reach: bool  # no descriptor was left to open it by, or none for its doorbell


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
            return FarEnd(None, True)
        board = self._boards.get(peer.board)
        if board is not None:
            refuse_fds(fds)
            return FarEnd(board, False)
        try:
            board = self._boards[peer.board] = open_board(peer.board, fds[0])
        except ZMQError as error:
            return FarEnd(None, error.errno in EXHAUSTED)
        return FarEnd(board, False)


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


def no_descriptor_left(endpoint: str) -> ZMQError:
    """Return the error for a peer whose doorbell found no free descriptor in this process."""
    return ZMQError(
        errno.EMFILE,
        f"{endpoint}: no descriptor is left for another peer; each takes one (see RLIMIT_NOFILE)",
    )
