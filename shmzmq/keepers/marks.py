"""High water marks and CONFLATE, as they count for an endpoint's pipes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from ..constants import CONFLATE, RCVHWM, SNDHWM
from ..options import BY_NUMBER

if TYPE_CHECKING:
    from ..options import OptionValues
    from ..pipe import Pipe

# Subscriptions go the other way, and every one of them counts.
_CONFLATING_IN: Final = ("PULL", "SUB", "DEALER")
_CONFLATING_OUT: Final = ("PUSH", "PUB", "DEALER")


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
    return cast("int", options[SNDHWM]), cast("int", options[RCVHWM])


def conflates(options: OptionValues) -> bool:
    """Whether the socket keeps only the last message (CONFLATE), which not all types can."""
    return bool(options[CONFLATE]) and options.socket_type in BY_NUMBER[CONFLATE].sockets


def keep_last(pipe: Pipe, pattern_name: str, on: bool) -> None:
    """Have *pipe* keep only the last message, each way in which it carries messages of users."""
    pipe.conflate(on and pattern_name in _CONFLATING_IN, on and pattern_name in _CONFLATING_OUT)


def options_for_worker(options: OptionValues) -> dict[str, Any]:
    """Return what was set, as it counts for connections."""
    snapshot: dict[str, Any] = dict(options.snapshot())
    snapshot.pop("CONFLATE", None)
    if conflates(options):
        snapshot |= {"CONFLATE": 1, "SNDHWM": 0, "RCVHWM": 0}
    return snapshot
