"""The reactor's timers: which of them come, and what memory those take that do not."""

from shmzmq.workers.exchange import Exchange
from shmzmq.workers.reactor import Reactor, Timer

LONG_S = 3600.0


def run(reactor: Reactor) -> None:
    """Run *reactor* until somebody stops it."""
    reactor.run(Exchange(reactor), lambda: None)


def test_timers_come_in_their_order() -> None:
    reactor = Reactor()
    came: list[int] = []
    now = reactor.now()
    for number in (3, 1, 2):
        reactor.call_at(now + number / 1000, lambda number=number: came.append(number))
    reactor.call_at(now + 0.004, reactor.stop)
    run(reactor)
    assert came == [1, 2, 3]


def test_cancelled_timers_do_not_come() -> None:
    reactor = Reactor()
    came: list[int] = []
    timers = [reactor.call_later(0.001, lambda k=k: came.append(k)) for k in range(300)]
    for k, timer in enumerate(timers):
        if k % 3:
            timer.cancel()
            timer.cancel()
    reactor.call_later(0.002, reactor.stop)
    run(reactor)
    assert came == list(range(0, 300, 3))
    assert reactor.timers_held == 0


def test_a_timer_may_cancel_itself_and_others() -> None:
    reactor = Reactor()
    timers: list[Timer] = []

    def cancel_all() -> None:
        for timer in timers:
            timer.cancel()

    timers.append(reactor.call_later(0.001, cancel_all))
    timers.extend(reactor.call_later(0.001 + k / 1e6, timers.clear) for k in range(1, 200))
    reactor.call_later(0.1, reactor.stop)
    run(reactor)
    assert len(timers) == 200
    assert reactor.timers_held == 0


def test_cancelled_timers_behind_a_later_one_take_no_memory() -> None:
    """As with one peer that is silent in its handshake while thousands come and go."""
    reactor = Reactor()
    waiting = reactor.call_later(LONG_S, reactor.stop)
    for _ in range(10_000):
        reactor.call_later(2 * LONG_S, reactor.stop).cancel()
        assert reactor.timers_held < 200
    waiting.cancel()


def test_those_that_are_to_come_are_kept() -> None:
    reactor = Reactor()
    came: list[int] = []
    for k in range(1000):
        reactor.call_later(0.001, lambda k=k: came.append(k))
        reactor.call_later(LONG_S, reactor.stop).cancel()
        reactor.call_later(0.0005, reactor.stop).cancel()
    reactor.call_later(0.002, reactor.stop)
    run(reactor)
    assert came == list(range(1000))
