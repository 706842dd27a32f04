"""Messages a second from one sender to one receiver, as the receiver counts them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from time import perf_counter
from typing import Any

from benchmarks.cases import Case, payload
from benchmarks.gates import Gates
from benchmarks.pairs import Pair
from benchmarks.peers.interface import BatchCalls, Channel, Peer
from benchmarks.settings import Settings
from benchmarks.turn_about import Figures, Question

METRIC = "messages/s"
# How many messages the first, uncounted measurement takes to find out how many the others need.
PROBING_MESSAGES = 20_000
PROBING_BYTES = 256 << 20
LEAST_BATCHES = 10


@dataclass(frozen=True)
class Plan:
    """A stream of messages: one batch to warm up, then `batches` of them against the clock."""

    batch: int
    batches: int

    @classmethod
    def of(cls, messages: int, case: Case) -> "Plan":
        """Return a plan of about `messages`, in batches no larger than the case allows."""
        batch = max(1, min(case.window, messages // LEAST_BATCHES))
        return cls(batch, max(LEAST_BATCHES, messages // batch))


def send_batches(case: Case, plan: Plan, channel: Channel, gates: Gates) -> None:
    """Send the warm-up batch and all others; a pattern that drops messages waits for credit."""
    send, bodies = channel.send, (payload(case.size, 0), payload(case.size, 1))
    for number in range(plan.batches + 1):
        body = bodies[number % 2]
        if case.pattern.lossy:
            gates.take_credit()
        if channel.batches is not None:
            left = plan.batch
            while left:
                left -= channel.batches.send(left, number)
            continue
        for _ in repeat(None, plan.batch):
            send(body)


def receive_batches(case: Case, plan: Plan, channel: Channel, gates: Gates) -> float:
    """Return messages/s from the end of the warm-up to the last message.

    The last message of each batch is checked. Batches differ, so none was lost and none came twice.
    """
    recv, calls = channel.recv, plan.batch * channel.frames
    bodies = (payload(case.size, 0), payload(case.size, 1))
    started = 0.0
    message: object = None
    for number in range(plan.batches + 1):
        if channel.batches is not None:
            message = receive_all(plan.batch, channel.batches)
        else:
            for _ in repeat(None, calls):
                message = recv()
        check_ends(message, bodies[number % 2])
        if case.pattern.lossy:
            gates.give_credit()
        if number == 0:
            started = perf_counter()
    elapsed = perf_counter() - started
    check_body(message, bodies[plan.batches % 2])
    return plan.batch * plan.batches / elapsed


def receive_all(count: int, calls: BatchCalls) -> bytes:
    """Receive so many messages in batches, and return the last."""
    while True:
        came, last = calls.receive(count)
        count -= came
        if not count:
            return last()


def send_requests(case: Case, plan: Plan, channel: Channel, gates: Gates) -> None:
    """Send all messages as requests, each when the one before has been answered."""
    send, recv, body = channel.send, channel.recv, payload(case.size)
    for _ in repeat(None, plan.batch * (plan.batches + 1)):
        send(body)
        recv()


def answer_requests(case: Case, plan: Plan, channel: Channel, gates: Gates) -> float:
    """Return requests/s; the answers are empty."""
    send, recv = channel.send, channel.recv
    message = None
    for _ in repeat(None, plan.batch):
        recv()
        send(b"")
    started = perf_counter()
    for _ in repeat(None, plan.batch * plan.batches):
        message = recv()
        send(b"")
    elapsed = perf_counter() - started
    check_body(message, payload(case.size))
    return plan.batch * plan.batches / elapsed


def check_body(message: Any, body: bytes) -> None:
    """Raise ValueError unless `message`, which has the buffer protocol, is `body`."""
    check_ends(message, body)
    if bytes(memoryview(message)) != body:
        raise ValueError(f"a message of {len(body)} bytes has other bytes in it than were sent")


def check_ends(message: Any, body: bytes) -> None:
    """Raise ValueError unless `message` has the length, the first and the last byte of `body`."""
    view = memoryview(message).cast("B")
    if view.nbytes != len(body):
        raise ValueError(f"a message should have {len(body)} bytes, but has {view.nbytes}")
    if view[0] != body[0] or view[-1] != body[-1]:
        raise ValueError(
            f"a message of {len(body)} bytes should begin and end with {body[:1]!r}, "
            f"not {bytes(view[:1])!r} and {bytes(view[-1:])!r}: one was lost or came twice"
        )


class Throughput:
    """A taker: one library at one case. The first call also finds out how many messages to send."""

    def __init__(self, peer: Peer, case: Case, seconds: float, time_limit_s: float) -> None:
        """Measure for about `seconds` each time."""
        self._peer, self._case = peer, case
        self._seconds, self._time_limit_s = seconds, time_limit_s
        self._plan: Plan | None = None

    def __call__(self) -> Figures:
        """Measure once. Raises ChildFailed."""
        if self._plan is None:
            messages = max(100, min(PROBING_MESSAGES, PROBING_BYTES // self._case.size))
            if self._case.pattern.lockstep:
                messages = max(100, messages // 20)
            rate = self._measure(Plan.of(messages, self._case))
            self._plan = Plan.of(int(rate * self._seconds), self._case)
        rate = self._measure(self._plan)
        return {METRIC: rate, "MB/s": rate * self._case.size / 1e6}

    def _measure(self, plan: Plan) -> float:
        lockstep = self._case.pattern.lockstep
        near = partial(send_requests if lockstep else send_batches, self._case, plan)
        far = partial(answer_requests if lockstep else receive_batches, self._case, plan)
        pair = Pair(self._peer, self._case, near, far, duplex=lockstep)
        _, rate = pair.run(self._time_limit_s)
        return float(rate)


def questions(cases: Iterable[Case], settings: Settings) -> list[Question]:
    """Return one question for each case that at least one library can answer."""
    return [
        question
        for case in cases
        if (question := case_question("throughput", case, settings, Throughput, METRIC, True))
    ]


def case_question(
    benchmark: str,
    case: Case,
    settings: Settings,
    taker: Callable[[Peer, Case, float, float], Callable[[], Figures]],
    metric: str,
    higher_is_better: bool,
) -> Question | None:
    """Return the question of one case to all libraries that have its pattern and its transport."""
    takers = {
        peer.name: taker(peer, case, settings.seconds, settings.time_limit_s)
        for peer in settings.roster.present
        if case.pattern in peer.patterns and case.transport in peer.transports
    }
    if not takers:
        return None
    reference = settings.reference_among(list(takers))
    return Question(benchmark, case.labels(), takers, metric, higher_is_better, reference)
