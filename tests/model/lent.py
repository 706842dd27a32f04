"""A block: lent, read where it lies, returned by a bit, and written to again for the next message.

Ledger.lend and collect against a reader that may die at any moment. Of a message of two parts it
returns the first block as soon as it has looked at it (ours is less eager: Consumer keeps all
blocks of a message to its end), and has a view of the second that it looks at again behind the
message. There are just enough blocks for one message. Violations: the reader sees a block that was
written to again; a block of a message that the dead had not read is not as it was sent, when it is
to be sent again; a block never comes back.
"""

from dataclasses import dataclass, field

from model import board
from model.steps import Step, Steps
from model.tso import (
    Explorer,
    Process,
    Result,
    Violation,
    choose,
    exchange,
    fence,
    fetch_or,
    load,
    store,
    wait_for_change,
)

LEDGER = "shm/ledger.py"
STEPS = (
    Step(
        "collect: only what was read",
        "",
        LEDGER,
        "Ledger.collect",
        "self.ended or self.entries[word * 64 + bit].end <= head",
    ),
    Step(
        "return: after the last look",
        "return",
        "shm/lease.py",
        "Lease.__dealloc__",
        "give_back(self.word, self.mask)",
    ),
    Step(
        "lend: fill before the tail",
        "publish",
        "shm/producer.py",
        "Producer.publish",
        "store_release(cython.address(self.control.tail), self.tail)",
    ),
    Step(
        "end: take from the dead",
        "",
        LEDGER,
        "Ledger.end",
        "self.take_from_dead()",
    ),
)
MESSAGES = 3
PARTS = 2
DEAD = 1 << 20


@dataclass
class Out:
    """What the owner keeps for itself: where the message of each block ends, 0 when it is back."""

    ends: list[int] = field(default_factory=lambda: [0] * PARTS)
    published: int = 0
    dead: bool = False


def explore(without: str | None = None) -> Result:
    """Explore MESSAGES of two parts through two blocks; the reader may die.

    "stir" stands for looking again and again: it changes whenever the owner may see something new.
    """
    takes = Steps(STEPS, without)

    def send_again(own: Out) -> board.Part:
        """renewal.renew: what the dead had not gone past is copied from the owner's own record."""
        own.dead = True
        head = yield load("head")
        block = 0
        while block < PARTS and head < own.published:
            seen = yield load(f"block{block}")
            if (seen, own.ends[block]) != (own.published, own.published):
                raise Violation(f"{seen} would be sent again for {own.published}")
            block += 1

    def collect(own: Out, block: int) -> board.Part:
        """Ledger.collect, until the block is back, or taken from the dead."""
        while True:
            stirred = yield load("stir")
            if stirred & DEAD and takes("end: take from the dead"):
                yield from send_again(own)
                return
            returned = yield load(f"returned{block}")
            head = yield load("head")
            read = own.ends[block] <= head or not takes("collect: only what was read")
            if returned and read:
                yield exchange(f"returned{block}", 0)
                own.ends[block] = 0
                return
            yield wait_for_change("stir", stirred)

    def owner() -> Process:
        own = Out()
        message = 1
        while message <= MESSAGES and not own.dead:
            block = 0
            while block < PARTS and not own.dead:
                if own.ends[block]:
                    yield from collect(own, block)
                    if own.dead:
                        break
                if not takes("lend: fill before the tail"):
                    yield store("tail", message)
                yield store(f"block{block}", message)
                own.ends[block] = message
                block += 1
            if not own.dead:
                yield store("tail", message)
                own.published = message
                message += 1

    def give_back(message: int, block: int) -> board.Part:
        """give_back: fetch_or."""
        yield fetch_or(f"returned{block}", 1)
        yield fetch_or("stir", 1 << (4 * message + block))

    def look(message: int, block: int) -> board.Part:
        """Look at a block; false when the reader died over it."""
        seen = yield load(f"block{block}")
        if seen != message:
            raise Violation(f"read {seen} for {message}")
        dies = yield choose(False, True)
        if dies:
            yield fence()
            yield fetch_or("stir", DEAD)
        return not dies

    def read(message: int) -> board.Part:
        """Read one message; false when the reader died over it."""
        lives = yield from look(message, 0)
        if lives:
            yield from give_back(message, 0)
            lives = yield from look(message, 1)
        if lives:
            yield store("head", message)
            yield fetch_or("stir", 1 << (4 * message + 3))
            if not takes("return: after the last look"):
                yield from give_back(message, 1)
            lives = yield from look(message, 1)
        if lives and takes("return: after the last look"):
            yield from give_back(message, 1)
        return lives

    def reader() -> Process:
        message = 1
        lives = True
        while message <= MESSAGES and lives:
            yield wait_for_change("tail", message - 1)
            lives = yield from read(message)
            message += 1

    memory = {"tail": 0, "head": 0, "stir": 0}
    memory |= {f"block{i}": 0 for i in range(PARTS)} | {f"returned{i}": 0 for i in range(PARTS)}
    return Explorer(memory, [owner, reader]).explore()
