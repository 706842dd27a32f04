"""All that carries messages from process to process, side by side: rate and round trip by size.

Two fresh processes for each library, size and round. One sends messages of the size and the other
receives and counts them; then messages go there and back, one at a time. How many is found out in
the same processes, so that a run over many libraries and sizes does not take an hour.
"""

from collections.abc import Iterable, Mapping
from ctypes import c_longlong
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.context import SpawnContext

from benchmarks import latency, memcpy, throughput
from benchmarks.cases import Case, Pattern, Role, Transport
from benchmarks.children import SPAWN
from benchmarks.gates import Gates
from benchmarks.pairs import Pair
from benchmarks.peers.interface import Channel, Peer
from benchmarks.settings import Settings
from benchmarks.turn_about import Answer, Figures, Question, Taker

BENCHMARK = "compare"
RATE, ROUND_TRIP = "rate", "round trip"
SIZES = (8, 64, 1 << 10, 8 << 10, 64 << 10, 1 << 20, 8 << 20, 64 << 20)
QUICK_SIZES = (64, 64 << 10, 1 << 20)

# What may wait on each side, for all libraries alike: so many messages, unless they are larger than
# this together; but always two.
MOST_WAITING = 1000
WAITING_BYTES = 16 << 20
LEAST_WAITING = 2

# What is sent to find out how much more to send. Where it takes as long as a measurement should, it
# is the measurement.
PROBING_MESSAGES = 2000
PROBING_ROUND_TRIPS = 200
PROBING_BYTES = 64 << 20
LEAST_BATCHES = 4
WARMING_ROUND_TRIPS = 2


@dataclass(frozen=True)
class ComparedCase(Case):
    """One size, with less memory for what is under way than where ZeroMQ libraries are measured."""

    @property
    def high_water_mark(self) -> int:
        """Return how many messages may wait on each side."""
        return max(LEAST_WAITING, min(MOST_WAITING, WAITING_BYTES // self.size))


class Agreed:
    """A number that one end finds out and both must know."""

    def __init__(self, spawn: SpawnContext) -> None:
        """Make the memory for it; hand this to both ends when they start."""
        self._number = spawn.RawValue(c_longlong)

    def tell(self, role: Role, gates: Gates, number: int) -> int:
        """Give the other end, which must `hear`, the number; return it."""
        self._number.value = number
        gates.meet(role)
        return number

    def hear(self, role: Role, gates: Gates) -> int:
        """Wait for the number that the other end tells."""
        gates.meet(role)
        return self._number.value


def warm_up(case: Case) -> throughput.Plan:
    """Return a stream long enough to touch all memory that messages can lie in."""
    return throughput.Plan(1, 2 * case.high_water_mark)


def stream_probe(case: Case) -> throughput.Plan:
    """Return the stream that finds out the rate."""
    messages = max(LEAST_BATCHES, min(PROBING_MESSAGES, PROBING_BYTES // case.size))
    return throughput.Plan(messages // LEAST_BATCHES, LEAST_BATCHES)


def trips_probe(case: Case) -> latency.Plan:
    """Return the round trips that find out how long one takes."""
    trips = max(LEAST_BATCHES, min(PROBING_ROUND_TRIPS, PROBING_BYTES // case.size))
    return latency.Plan(WARMING_ROUND_TRIPS, trips, 0.0)


def at_near_end(
    case: Case, seconds: float, agreed: Agreed, channel: Channel, gates: Gates
) -> Figures:
    """Send a stream, then do round trips; return the times of these in µs."""
    throughput.send_batches(case, warm_up(case), channel, gates)
    throughput.send_batches(case, stream_probe(case), channel, gates)
    if messages := agreed.hear(Role.NEAR, gates):
        throughput.send_batches(case, throughput.Plan.of(messages, case), channel, gates)
    probe = trips_probe(case)
    figures = latency.ask(case, probe, channel, gates)
    trips = int(seconds / (figures[latency.METRIC] / 1e6))
    trips = agreed.tell(Role.NEAR, gates, trips if trips > probe.round_trips else 0)
    if trips:
        figures = latency.ask(case, replace(probe, round_trips=trips), channel, gates)
    return figures


def at_far_end(
    case: Case, seconds: float, agreed: Agreed, channel: Channel, gates: Gates
) -> Figures:
    """Receive the stream, then send back what comes; return the rate of the stream."""
    throughput.receive_batches(case, warm_up(case), channel, gates)
    probe = stream_probe(case)
    rate = throughput.receive_batches(case, probe, channel, gates)
    messages = int(rate * seconds)
    if agreed.tell(Role.FAR, gates, messages if messages > probe.batch * probe.batches else 0):
        plan = throughput.Plan.of(messages, case)
        rate = throughput.receive_batches(case, plan, channel, gates)
    trips_plan = trips_probe(case)
    latency.answer_all(trips_plan, channel, gates)
    if trips := agreed.hear(Role.FAR, gates):
        latency.answer_all(replace(trips_plan, round_trips=trips), channel, gates)
    return {throughput.METRIC: rate, "MB/s": rate * case.size / 1e6}


def measure(peer: Peer, case: Case, seconds: float, time_limit_s: float) -> Figures:
    """Return the figures of one library at one size. Raises ChildFailed."""
    agreed = Agreed(SPAWN)
    near, far = (partial(end, case, seconds, agreed) for end in (at_near_end, at_far_end))
    times, rates = Pair(peer, case, near, far, duplex=True).run(time_limit_s)
    return {**rates, **times}


def questions(sizes: Iterable[int], settings: Settings) -> list[Question]:
    """Return one question for each size, to all libraries; `apart` makes two answers of each."""
    found = []
    for size in sizes:
        case = ComparedCase(Pattern.PUSH_PULL, Transport.IPC, size)
        takers: dict[str, Taker] = {
            peer.name: partial(measure, peer, case, settings.seconds, settings.time_limit_s)
            for peer in settings.roster.present
        }
        takers[memcpy.NAME] = memcpy.copy_in_memory(size, settings.seconds)
        reference = settings.reference_among(list(takers))
        found.append(
            Question(BENCHMARK, {"size": size}, takers, throughput.METRIC, True, reference)
        )
    return found


def apart(answers: Iterable[Answer]) -> list[Answer]:
    """Return the rates of all answers, and after them the round trips."""
    answers = list(answers)
    rates = [only(answer, RATE, throughput.METRIC, ("MB/s",), True) for answer in answers]
    trips = [
        only(answer, ROUND_TRIP, latency.METRIC, (latency.TAIL_METRIC,), False)
        for answer in answers
    ]
    return rates + trips


def only(
    answer: Answer, benchmark: str, metric: str, others: tuple[str, ...], higher_is_better: bool
) -> Answer:
    """Return what an answer says about `metric` and `others`, of those who have figures of it."""
    takers: Mapping[str, Taker] = {
        name: taker
        for name, taker in answer.question.takers.items()
        if name in answer.failures or metric in answer.rounds[name][0]
    }
    question = replace(
        answer.question,
        benchmark=benchmark,
        takers=takers,
        metric=metric,
        higher_is_better=higher_is_better,
    )
    rounds: dict[str, list[Figures]] = {
        name: [{key: figures[key] for key in (metric, *others)} for figures in answer.rounds[name]]
        for name in takers
        if answer.rounds.get(name)
    }
    failures = {name: failure for name, failure in answer.failures.items() if name in takers}
    return Answer(question, rounds, failures)
