"""Publish, rest, sleep, wake: two senders and one receiver that has a board and may sleep.

Pipe.flush and Board.post_ready against FairQueue, Pipe.rest, Board.announce_sleep and process_news.
Violations: a receiver that sleeps for ever although something was published, messages out of order.
"""

from dataclasses import dataclass, field

from model import board
from model.steps import Step, Steps
from model.tso import Explorer, Process, Result, Violation, fence, load, store

STEPS = (
    *board.STEPS,
    Step("flush: fence", "ready", "pipe.py", "Pipe.flush", "fence()"),
    Step("rest: fence", "ready", "pipe.py", "Pipe.rest", "fence()"),
    Step("rest: second look", "ready", "pipe.py", "Pipe.rest", "if self.inbound.is_empty():"),
)


@dataclass
class Receiver:
    """What the receiving socket keeps for itself: its active list, and what it read."""

    active: list[bool] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)


def explore(without: str | None = None, counts: tuple[int, ...] = (2, 1)) -> Result:
    """Explore with as many senders as *counts* has items, each sending so many messages."""
    takes = Steps(STEPS, without)

    def send_one(pipe: int, number: int) -> board.Part:
        """Pipe.flush, after the message was written."""
        yield store(f"tail{pipe}", number)
        if takes("flush: fence"):
            yield fence()
        attentive = yield load(f"attentive{pipe}")
        if not attentive:
            yield from board.post(takes, "board", "ready", 1 << pipe)

    def sender(pipe: int) -> Process:
        number = 0
        while number < counts[pipe]:
            number += 1
            yield from send_one(pipe, number)

    def attend(own: Receiver, pipe: int) -> board.Part:
        """FairQueue.activate and Pipe.attend, whose fence is not needed here."""
        if not own.active[pipe]:
            own.active[pipe] = True
            yield store(f"attentive{pipe}", 1)

    def rest(pipe: int, own: Receiver) -> board.Part:
        """Pipe.rest: true when the pipe may leave the active list."""
        yield store(f"attentive{pipe}", 0)
        if takes("rest: fence"):
            yield fence()
        if takes("rest: second look"):
            tail = yield load(f"tail{pipe}")
            if tail != own.heads[pipe]:
                yield store(f"attentive{pipe}", 1)
                return False
        own.active[pipe] = False
        return True

    def process_news(own: Receiver) -> board.Part:
        bits = yield from board.take_bits(takes, "board", "ready")
        pipe = 0
        while pipe < len(counts):
            if bits & 1 << pipe:
                yield from attend(own, pipe)
            pipe += 1

    def read(own: Receiver) -> board.Part:
        """FairQueue.recv: one message from an active pipe that has one; false when none has."""
        pipe = 0
        while pipe < len(counts):
            if own.active[pipe]:
                tail = yield load(f"tail{pipe}")
                if tail < own.heads[pipe]:
                    raise Violation(f"pipe {pipe} went back")
                if tail > own.heads[pipe]:
                    own.heads[pipe] += 1
                    return True
            pipe += 1
        return False

    def rest_all(own: Receiver) -> board.Part:
        """FairQueue.rest."""
        pipe = len(counts)
        while pipe > 0:
            pipe -= 1
            if own.active[pipe]:
                rests = yield from rest(pipe, own)
                if not rests:
                    return False
        return True

    def receiver() -> Process:
        """SocketBase.recv, again and again until everything has come."""
        own = Receiver([False] * len(counts), [0] * len(counts))
        while sum(own.heads) < sum(counts):
            news = yield load("board.news")
            if news:
                yield from process_news(own)
            found = yield from read(own)
            if found:
                continue
            rests = yield from rest_all(own)
            if rests:
                yield from board.sleep(takes, "board")
                # socket_core looks at the board after every sleep, whatever `news` says.
                yield from process_news(own)

    memory = board.words("board", "ready")
    for pipe in range(len(counts)):
        memory |= {f"tail{pipe}": 0, f"attentive{pipe}": 0}
    senders = [lambda pipe=pipe: sender(pipe) for pipe in range(len(counts))]
    for pipe, start in enumerate(senders):
        start.__name__ = f"sender {pipe}"
    return Explorer(memory, [*senders, receiver]).explore()
