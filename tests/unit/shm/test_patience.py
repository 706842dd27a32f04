"""How long it pays to stay awake: what is learnt, and what it may cost."""

import os

import pytest

from shmzmq.shm.patience import Patience

MOST_NS = 200_000
AN_HOUR_NS = 3600 * 10**9
A_SLICE_NS = 1_000_000

pytestmark = pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="on one CPU nobody stays awake"
)


def test_what_comes_late_again_and_again_is_awaited_asleep() -> None:
    patience, now = Patience(), AN_HOUR_NS
    allowed = []
    while spent := patience.allowance(now):
        allowed.append(spent)
        patience.in_vain(spent)
        now += AN_HOUR_NS
    assert allowed == [MOST_NS >> turn for turn in range(len(allowed))]
    assert len(allowed) == 8  # from 200 µs down to 1.5: each a half of the one before


@pytest.mark.parametrize(("asleep_ns", "allowed"), [(999_999, MOST_NS), (1_000_000, 0)])
def test_a_short_sleep_gives_the_patience_back(asleep_ns: int, allowed: int) -> None:
    patience = Patience()
    while spent := patience.allowance(AN_HOUR_NS):
        patience.in_vain(spent)
    patience.slept(asleep_ns)
    assert patience.allowance(2 * AN_HOUR_NS) == allowed


def test_what_comes_in_time_lets_it_grow_to_the_most() -> None:
    patience = Patience()
    patience.in_vain(patience.allowance(AN_HOUR_NS))
    patience.in_vain(patience.allowance(AN_HOUR_NS))
    patience.rewarded()
    assert patience.allowance(2 * AN_HOUR_NS) == MOST_NS // 2
    for _ in range(5):
        patience.rewarded()
    assert patience.allowance(2 * AN_HOUR_NS) == MOST_NS


def test_a_32nd_of_the_time_at_most_is_spent_in_vain() -> None:
    patience, now, in_vain = Patience(), AN_HOUR_NS, 0
    begun = now
    for _ in range(10_000):  # always too late for the patience, and always soon enough to revive it
        spent = patience.allowance(now)
        patience.in_vain(spent)
        in_vain += spent
        now += spent + 500_000
        patience.slept(500_000)
    at_first = 4_000_000
    assert at_first < in_vain <= (now - begun) // 32 + at_first


def test_what_is_rewarded_costs_nothing() -> None:
    patience, now = Patience(), AN_HOUR_NS
    for _ in range(10_000):
        assert patience.allowance(now) == MOST_NS
        patience.rewarded()
        now += MOST_NS - 1


def test_where_somebody_computes_on_the_same_cpu_it_is_awaited_asleep_for_a_while() -> None:
    patience, now = Patience(), AN_HOUR_NS
    patience.gave_way(now - A_SLICE_NS + 1, now)
    assert patience.allowance(now) == MOST_NS
    patience.gave_way(now - A_SLICE_NS, now)
    assert patience.allowance(now) == patience.allowance(now + 99_999_999) == 0
    assert patience.allowance(now + 100_000_000) == MOST_NS
