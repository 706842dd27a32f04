"""Heartbeats: when to send PING, and when silence means that the peer is gone.

Source: RFC 37, "Connection Heartbeating". All times are seconds of one clock, which only the caller
reads.
"""

from __future__ import annotations

from enum import Enum, auto


class Due(Enum):
    """What the time has come for."""

    NOTHING = auto()
    PING = auto()
    TIMEOUT = auto()  # nothing came within HEARTBEAT_TIMEOUT of our PING
    TTL = auto()  # nothing came within the time to live that the peer's PING gave


class Heartbeat:
    """The three timers of one connection. Any sign of life disarms the two that end it.

    ivl_ms:      HEARTBEAT_IVL, milliseconds between our PINGs; 0 sends none. timeout_ms:
    HEARTBEAT_TIMEOUT, milliseconds after a PING; 0 waits for ever, -1 takes ivl_ms. ttl_ms:
    HEARTBEAT_TTL, told to the peer in tenths of a second, rounded down; 0 tells it no limit.
    """

    def __init__(self, ivl_ms: int, timeout_ms: int, ttl_ms: int) -> None:
        self._ivl_s = ivl_ms / 1000
        self._timeout_s = (ivl_ms if timeout_ms == -1 else timeout_ms) / 1000
        self.ttl = ttl_ms // 100
        """What our PINGs tell the peer, in tenths of a second."""
        self._ping_at: float | None = None
        self._timeout_at: float | None = None
        self._ttl_at: float | None = None

    def start(self, now: float) -> None:
        """Begin to send PINGs, if they are wanted; called when the handshake is done."""
        if self._ivl_s > 0:
            self._ping_at = now + self._ivl_s

    def note_traffic(self) -> None:
        """Something came from the peer, so it lives."""
        self._timeout_at = self._ttl_at = None

    def note_ping(self, ttl: int, now: float) -> None:
        """The peer sent a PING that gives us *ttl* tenths of a second to hear from it again, or no
        limit with 0.
        """
        if ttl:
            self._ttl_at = now + ttl / 10

    def next_timeout(self) -> float | None:
        """Return when `check` has to be called next, or None."""
        return min(
            (at for at in (self._ping_at, self._timeout_at, self._ttl_at) if at is not None),
            default=None,
        )

    def check(self, now: float) -> Due:
        """Return what is due.  After PING the next one is planned, and the wait for an answer has
        begun.
        """
        if self._timeout_at is not None and self._timeout_at <= now:
            return Due.TIMEOUT
        if self._ttl_at is not None and self._ttl_at <= now:
            return Due.TTL
        if self._ping_at is None or self._ping_at > now:
            return Due.NOTHING
        self._ping_at = now + self._ivl_s
        # A timer that runs already belongs to an earlier PING without an answer and is not put off.
        if self._timeout_at is None and self._timeout_s > 0:
            self._timeout_at = now + self._timeout_s
        return Due.PING
