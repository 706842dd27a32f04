"""What a worker keeps for each socket of its application: its board, and who is behind it."""

from __future__ import annotations

from typing import NamedTuple

from ..shm.board import Board


class HostedSocket(NamedTuple):
    """A socket of the application, as its worker knows it."""

    key: int
    board: Board
    application: tuple[int, int]  # pid and start tick
