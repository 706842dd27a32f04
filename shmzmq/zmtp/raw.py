"""What stands in for a ZMTP connection where there is none: a stream of bytes and nothing else.

To be used like `Connection` by whoever takes the stream over. There is no greeting, so both sides
are ready at once; there are no commands and no timers.
"""

from __future__ import annotations

from typing import Final, NoReturn

from .errors import LocalError
from .events import Event, HandshakeDone

RAW_VERSION: Final = (0, 0)
"""What `version` is where bytes go as they are."""


class RawConnection:
    """A connection without a protocol, ready from the beginning; what it lacks, it lacks."""

    version: Final = RAW_VERSION

    def __init__(self) -> None:
        self._events: list[Event] = [HandshakeDone(RAW_VERSION, "NULL", {})]

    def next_event(self) -> Event | None:
        """Return HandshakeDone once."""
        return self._events.pop() if self._events else None

    def next_timeout(self) -> float | None:
        """Return None: nothing is ever due."""
        return None

    def data_to_send(self) -> bytes:
        """Return nothing: all that is sent is the caller's."""
        return b""

    def take_over(self) -> bytes:
        """Leave the stream to the caller; nothing of it was read here."""
        return b""

    def note_traffic(self) -> None:
        """Do nothing: no heartbeat waits for traffic."""

    def handle_timeout(self, now: float) -> None:
        """Do nothing: there are no timers."""

    def receive_data(self, data: bytes, now: float) -> NoReturn:
        """Raise LocalError: the stream is the caller's."""
        raise LocalError("a raw stream is read by whoever took it over")

    def receive_command(self, body: bytes, now: float) -> NoReturn:
        """Raise LocalError: there are no commands."""
        raise LocalError(f"a command of {len(body)} bytes in a raw stream")

    def send_command(self, name: str, body: bytes) -> NoReturn:
        """Raise LocalError: there are no commands."""
        raise LocalError(f"a raw stream carries no command {name!r}")
