"""Room: a sender at its mark, or without memory, parks and sleeps until its reader tells.

LoadBalancer.send and Pipe.park against Pipe.done_reading and report_room, and the sender's own
board. The socket's further looks at parked pipes (LoadBalancer.revisit) reach the first sixteen
only: the model has none.
"""

from dataclasses import dataclass

from model import board
from model.steps import Step, Steps
from model.tso import (
    Explorer,
    Process,
    Result,
    Violation,
    exchange,
    fence,
    load,
    store,
    wait_for_change,
)

PIPE = "pipe.py"
STEPS = (
    *board.STEPS,
    Step("park: fence", "room", PIPE, "Pipe.park", "fence()"),
    Step("park: second look", "room", PIPE, "Pipe.park", "if self.can_write():"),
    Step("report_room: fence", "room", PIPE, "Pipe.report_room", "fence()"),
    Step(
        "done_reading: at the end", "room", PIPE, "Pipe.done_reading", "into.head == into.tail_seen"
    ),
)
MEMORY_STEPS = (
    *STEPS,
    Step(
        "can_write: looks afresh", "room", PIPE, "Pipe.can_write", "self.outbound.look_at_reader()"
    ),
)


@dataclass
class Sender:
    """What the producer keeps for itself."""

    written: int = 0
    read_seen: int = 0


@dataclass
class Reader:
    """What the consumer keeps for itself."""

    read: int = 0
    tail_seen: int = 0
    unreported: int = 0


def explore(
    without: str | None = None,
    *,
    limit: int = 2,
    count: int = 8,
    report: int = 3,
    for_memory: bool = False,
) -> Result:
    """Explore *count* messages, of which *limit* may be unread.

    The reader reports after every *report* messages, and when it has read all. With *for_memory* it
    is the area that holds no more than *limit*, and no larger one can be had.
    """
    takes = Steps(MEMORY_STEPS if for_memory else STEPS, without)

    def look(own: Sender) -> board.Part:
        """Producer.look_at_reader."""
        read = yield load("read")
        if read > own.written:
            raise Violation("more read than written")
        own.read_seen = read

    def can_write(own: Sender) -> board.Part:
        """Pipe.can_write: Producer.has_room, or whether the part that found no memory would fit."""
        if for_memory:
            if takes("can_write: looks afresh"):
                yield from look(own)
        elif own.written - own.read_seen >= limit:
            yield from look(own)
        return own.written - own.read_seen < limit

    def find_space(own: Sender) -> board.Part:
        """Producer.write: look at the reader when the part does not fit; it cannot grow."""
        if own.written - own.read_seen >= limit:
            yield from look(own)
        return own.written - own.read_seen < limit

    def park(own: Sender) -> board.Part:
        """Pipe.park: true when the sender may sleep."""
        yield store("waiting", 1)
        if takes("park: fence"):
            yield fence()
        if takes("park: second look"):
            has_room = yield from can_write(own)
            if has_room:
                yield exchange("waiting", 0)
                return False
        return True

    def sender() -> Process:
        own = Sender()
        while own.written < count:
            if for_memory:
                has_room = yield from find_space(own)
            else:
                has_room = yield from can_write(own)
            if has_room:
                own.written += 1
                yield store("written", own.written)
                continue
            parked = yield from park(own)
            while parked:
                yield from board.sleep(takes, "board")
                bits = yield from board.take_bits(takes, "board", "room")
                parked = not bits

    def report_room(own: Reader) -> board.Part:
        own.unreported = 0
        if takes("report_room: fence"):
            yield fence()
        waiting = yield load("waiting")
        if waiting:
            taken = yield exchange("waiting", 0)
            if taken:
                yield from board.post(takes, "board", "room", 1)

    def reader() -> Process:
        own = Reader()
        while own.read < count:
            if own.read == own.tail_seen:
                own.tail_seen = yield wait_for_change("written", own.tail_seen)
                if own.tail_seen - own.read > limit:
                    raise Violation("more unread than there may be")
            own.read += 1
            yield store("read", own.read)
            own.unreported += 1
            at_end = own.read == own.tail_seen and takes("done_reading: at the end")
            if at_end or own.unreported >= report:
                yield from report_room(own)

    memory = board.words("board", "room") | {"written": 0, "read": 0, "waiting": 0}
    return Explorer(memory, [sender, reader]).explore()
