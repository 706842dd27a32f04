"""The time of a round trip: a message there and the same message back, one at a time."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from statistics import quantiles
from time import perf_counter_ns

from benchmarks.cases import Case, payload
from benchmarks.gates import Gates
from benchmarks.pairs import Pair
from benchmarks.peers.interface import Channel, Peer
from benchmarks.settings import Settings
from benchmarks.throughput import case_question, check_body
from benchmarks.turn_about import Figures, Question

METRIC = "p50 µs"
TAIL_METRIC = "p99 µs"
PROBING_ROUND_TRIPS = 1000
PROBING_BYTES = 64 << 20
LEAST_ROUND_TRIPS = 50
MOST_ROUND_TRIPS = 1_000_000


@dataclass(frozen=True)
class Plan:
    """How many round trips to warm up with, how many to time, and how long to pause before each."""

    warm_up: int
    round_trips: int
    pause_s: float


def ask(case: Case, plan: Plan, channel: Channel, gates: Gates) -> Figures:
    """Send messages and take them back; return the median and the 99th percentile in µs."""
    send, recv, body = channel.send, channel.recv, payload(case.size)
    answer = None
    for _ in range(plan.warm_up):
        send(body)
        answer = recv()
    check_body(answer, body)
    times = time_paused(channel, body, plan) if plan.pause_s else time_busy(channel, body, plan)
    percentiles = quantiles(times, n=100, method="inclusive")
    return {METRIC: percentiles[49] / 1000, TAIL_METRIC: percentiles[98] / 1000}


def time_busy(channel: Channel, body: bytes, plan: Plan) -> list[int]:
    """Return the time of each round trip in ns, one right after the other.

    Each has one look at the clock in it, some 50 ns.
    """
    send, recv, now = channel.send, channel.recv, perf_counter_ns
    times = [0] * plan.round_trips
    before = now()
    for number in range(plan.round_trips):
        send(body)
        recv()
        after = now()
        times[number] = after - before
        before = after
    return times


def time_paused(channel: Channel, body: bytes, plan: Plan) -> list[int]:
    """Return the time of each round trip in ns, after a pause in which both sides fall asleep."""
    send, recv, now = channel.send, channel.recv, perf_counter_ns
    times = []
    for _ in range(plan.round_trips):
        time.sleep(plan.pause_s)
        before = now()
        send(body)
        recv()
        times.append(now() - before)
    return times


def answer_all(plan: Plan, channel: Channel, gates: Gates) -> None:
    """Send every message back."""
    channel.echo(plan.warm_up + plan.round_trips)


class Latency:
    """A taker: one library at one case, busy or paused.

    The first call also finds out how many round trips fit in the time.
    """

    def __init__(
        self, pause_s: float, peer: Peer, case: Case, seconds: float, time_limit_s: float
    ) -> None:
        """Measure for about `seconds` each time, with `pause_s` before each round trip."""
        self._peer, self._case, self._pause_s = peer, case, pause_s
        self._seconds, self._time_limit_s = seconds, time_limit_s
        self._round_trips = 0

    def __call__(self) -> Figures:
        """Measure once. Raises ChildFailed."""
        if not self._round_trips:
            probing = max(
                LEAST_ROUND_TRIPS, min(PROBING_ROUND_TRIPS, PROBING_BYTES // self._case.size)
            )
            found = self._measure(Plan(LEAST_ROUND_TRIPS, probing, 0.0))
            fitting = int(self._seconds / (found[METRIC] / 1e6 + self._pause_s))
            self._round_trips = max(LEAST_ROUND_TRIPS, min(MOST_ROUND_TRIPS, fitting))
        return self._measure(Plan(LEAST_ROUND_TRIPS, self._round_trips, self._pause_s))

    def _measure(self, plan: Plan) -> Figures:
        near, far = partial(ask, self._case, plan), partial(answer_all, plan)
        figures: Figures
        figures, _ = Pair(self._peer, self._case, near, far, duplex=True).run(self._time_limit_s)
        return figures


def questions(
    cases: Iterable[Case], pauses_ms: Iterable[float], settings: Settings
) -> list[Question]:
    """Return a question for each case and pause that a library can answer; pause 0 is busy."""
    found = []
    for case in cases:
        for pause_ms in pauses_ms:
            taker = partial(Latency, pause_ms / 1000)
            question = case_question("latency", case, settings, taker, METRIC, False)
            if question:
                mode = f"pause {pause_ms:g} ms" if pause_ms else "busy"
                found.append(question.labelled(mode=mode))
    return found
