"""The ring's data: parts are written, published as a whole, read, and their place is used again.

Producer.put and publish against Consumer.peek and advance, in an area of a few places; the reader
may die in the middle of a message, and another one reads on. Violations: half a message,
overwritten or lost parts.
"""

from dataclasses import dataclass

from model import board
from model.steps import Step, Steps
from model.tso import (
    Explorer,
    Process,
    Result,
    Violation,
    choose,
    fence,
    load,
    signal,
    store,
    wait_for,
    wait_for_change,
)

PRODUCER, CONSUMER = "shm/producer.py", "shm/consumer.py"
STEPS = (
    Step(
        "publish: records before the tail",
        "publish",
        PRODUCER,
        "Producer.publish",
        "store_release(cython.address(self.control.tail), self.tail)",
    ),
    Step(
        "publish: whole messages",
        "publish",
        "patterns/load_balance.py",
        "LoadBalancer.send",
        "if not more:\n                        pipe.flush()",
    ),
    Step(
        "advance: read before the head",
        "free",
        CONSUMER,
        "Consumer.advance",
        "store_release(cython.address(self.control.head), self.head)",
    ),
    Step(
        "advance: whole messages",
        "free",
        CONSUMER,
        "Consumer.advance",
        "if self.in_message:\n            return",
    ),
    Step(
        "write: look at the reader",
        "free",
        PRODUCER,
        "Producer.write",
        "if not self.look_at_reader():",
    ),
)
PLACES = 4
MESSAGES = (2, 1, 3, 1, 2, 4, 1, 2)
PARTS = tuple(
    (message, part, part + 1 < size)
    for message, size in enumerate(MESSAGES)
    for part in range(size)
)


@dataclass
class Writer:
    """What the producer keeps for itself."""

    tail: int = 0
    head_seen: int = 0


def explore(without: str | None = None) -> Result:
    """Explore MESSAGES (numbers of parts) through PLACES places; the first reader may die."""
    takes = Steps(STEPS, without)

    def await_room(own: Writer, size: int) -> board.Part:
        """Producer.write: look at the reader when a record does not fit beside what is unread."""
        while own.tail - own.head_seen + size > PLACES and takes("write: look at the reader"):
            own.head_seen = yield wait_for_change("head", own.head_seen)

    def producer() -> Process:
        own = Writer()
        message = 0
        while message < len(MESSAGES):
            size = MESSAGES[message]
            yield from await_room(own, size)
            if not takes("publish: records before the tail"):
                yield store("tail", own.tail + size)
            part = 0
            while part < size:
                yield store(f"place{own.tail % PLACES}", PARTS[own.tail])
                own.tail += 1
                part += 1
                if not takes("publish: whole messages"):
                    yield store("tail", own.tail)
            yield store("tail", own.tail)
            message += 1

    def read_message(head: int, may_die: bool) -> board.Part:
        """Read one message from *head*; return where it ends, -1 when the reader died over it."""
        position = head
        more = True
        while more:
            tail = yield load("tail")
            if tail == position:
                if position > head:
                    raise Violation("half a message")
                tail = yield wait_for_change("tail", position)
            if not takes("advance: read before the head"):
                yield store("head", position + 1)
            got = yield load(f"place{position % PLACES}")
            if got != PARTS[position]:
                raise Violation(f"read {got} for {PARTS[position]}")
            if position == head and got[1] != 0:
                raise Violation("begins in the middle of a message")
            if may_die:
                dies = yield choose(False, True)
                if dies:
                    return -1
            position += 1
            more = got[2]
            if more and not takes("advance: whole messages"):
                yield store("head", position)
        yield store("head", position)
        return position

    def reader() -> Process:
        head = 0
        while head < len(PARTS):
            head = yield from read_message(head, True)
            if head < 0:
                break
        # What a process has stored becomes visible however it ends; then its end is noticed.
        yield fence()
        yield signal("ended")

    def heir() -> Process:
        yield wait_for("ended")
        head = yield load("head")
        while head < len(PARTS):
            head = yield from read_message(head, False)

    memory = {"tail": 0, "head": 0, "ended": 0} | {f"place{i}": None for i in range(PLACES)}
    return Explorer(memory, [producer, reader, heir]).explore()
