"""What is measured: one pattern, over one transport, with messages of one size."""

import enum
from dataclasses import dataclass

# Messages that may be under way at once. The default high water mark of ZeroMQ, but never so many
# that they fill the memory of a small machine: 64 MiB each way at 1 MiB a message.
HIGH_WATER_MARK = 1000
UNDER_WAY_BYTES = 64 << 20

# Messages, and bytes, in one batch of a sender that is paced (see `Case.window`).
WINDOW = 10_000
WINDOW_BYTES = 16 << 20


class Pattern(enum.StrEnum):
    """The pair of socket types that talk to each other; the one named first sends."""

    PUSH_PULL = "PUSH/PULL"
    PUB_SUB = "PUB/SUB"
    REQ_REP = "REQ/REP"
    DEALER_ROUTER = "DEALER/ROUTER"
    PAIR = "PAIR"

    @property
    def lockstep(self) -> bool:
        """Whether each message must be answered before the next one may be sent."""
        return self is Pattern.REQ_REP

    @property
    def lossy(self) -> bool:
        """Whether a sender drops messages rather than wait for a slow receiver."""
        return self is Pattern.PUB_SUB

    @property
    def one_way(self) -> bool:
        """Whether a round trip needs a second pair of sockets for the way back."""
        return self in (Pattern.PUSH_PULL, Pattern.PUB_SUB)


class Transport(enum.StrEnum):
    """Where the two ends are: two processes, or two threads of one."""

    IPC = "ipc"
    INPROC = "inproc"
    TCP = "tcp"  # two processes, over the loopback interface


class Role(enum.IntEnum):
    """The two ends of a channel; NEAR sends first."""

    NEAR = 0
    FAR = 1

    @property
    def other(self) -> "Role":
        """Return the opposite end."""
        return Role(1 - self)


@dataclass(frozen=True)
class Case:
    """One cell of the matrix that a benchmark fills."""

    pattern: Pattern
    transport: Transport
    size: int  # bytes

    @property
    def high_water_mark(self) -> int:
        """Return how many messages may wait on each side.

        It is 0, no limit, for a pattern that would drop what is too much; see `window`.
        """
        if self.pattern.lossy:
            return 0
        return max(8, min(HIGH_WATER_MARK, UNDER_WAY_BYTES // self.size))

    @property
    def window(self) -> int:
        """Return the messages in a batch; a lossy sender is two batches ahead at most."""
        return max(8, min(WINDOW, WINDOW_BYTES // self.size))

    def labels(self) -> dict[str, str | int]:
        """Return the case as the columns of a table."""
        return {"pattern": self.pattern, "transport": self.transport, "size": self.size}


def payload(size: int, turn: int = 0) -> bytes:
    """Return a message body of `size` bytes, at least 1.

    Its memory has been written: the pages of zeros never touched would all be one page in cache.
    Bodies of odd turns differ from those of even ones in the first and the last byte, so that a
    receiver can tell them apart, and memory that holds one holds the other once two bytes are
    written.
    """
    end = b"mn"[turn % 2 : turn % 2 + 1]
    return end + b"m" * (size - 2) + end if size > 1 else end
