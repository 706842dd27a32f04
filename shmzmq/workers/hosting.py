"""What a worker keeps for each socket of its application: its board, and who is behind it."""

from __future__ import annotations

from ..shm.board import Board


class HostedSocket:
    """A socket of the application, as its worker knows it."""

    def __init__(self, key: int, board: Board, application: tuple[int, int]) -> None:
        self.key = key
        self.board = board
        self.application = application
        """Pid and start tick."""
        self.monitored = 0
        """The events that its monitor wants, 0: it has none."""
