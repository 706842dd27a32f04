"""The relay: whole batches between the rings of a pipe and a byte stream.

The worker is the far end of the pipe. `Sending` reads the ring that the application writes, and
`Receiving` writes the one that it reads. Neither knows sockets, sessions or time. A turn of either
is bounded, so that one busy connection does not keep others waiting.
"""

from enum import IntEnum


class Turn(IntEnum):
    """What a turn came to: RELAY_ in the declarations says more."""

    MORE = RELAY_MORE
    IDLE = RELAY_IDLE
    BLOCKED = RELAY_BLOCKED
    FINISHED = RELAY_FINISHED
    COMMAND = RELAY_COMMAND
    ENDED = RELAY_ENDED
