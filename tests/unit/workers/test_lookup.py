"""What may block runs in threads, and its results come back in the reactor's."""

import threading
from typing import Any

import pytest

from shmzmq.workers.exchange import Exchange
from shmzmq.workers.lookup import Lookups
from shmzmq.workers.reactor import Reactor

PATIENCE_S = 20.0


class Bench:
    """A reactor, and lookups whose results it gathers."""

    def __init__(self) -> None:
        self.reactor = Reactor()
        self.lookups = Lookups(self.reactor)
        self.results: list[Any] = []
        self.threads: list[threading.Thread] = []

    def done(self, result: Any) -> None:
        """Take a result."""
        self.results.append(result)
        self.threads.append(threading.current_thread())

    def run_until(self, count: int) -> None:
        """Let the reactor run until there are so many results."""
        late = self.reactor.call_later(PATIENCE_S, self.reactor.stop)

        def look() -> None:
            if len(self.results) >= count:
                self.reactor.stop()

        self.reactor.run(Exchange(self.reactor), look)
        late.cancel()
        assert len(self.results) >= count, f"after {PATIENCE_S} s there is {self.results}"


def test_results_come_in_the_reactors_thread() -> None:
    bench = Bench()
    worked_in: list[threading.Thread] = []

    def work() -> int:
        worked_in.append(threading.current_thread())
        return 7

    bench.lookups.run(work, bench.done)
    bench.run_until(1)
    assert bench.results == [7]
    assert bench.threads == [threading.current_thread()]
    assert worked_in != bench.threads


def test_the_reactor_goes_on_while_one_blocks() -> None:
    bench, answer = Bench(), threading.Event()
    bench.lookups.run(lambda: answer.wait(PATIENCE_S), bench.done)
    bench.reactor.call_later(0, lambda: bench.done("timer"))
    bench.lookups.run(lambda: "quick", bench.done)
    bench.run_until(2)
    assert sorted(bench.results) == ["quick", "timer"]
    answer.set()
    bench.run_until(3)
    assert bench.results[2] is True


def test_more_than_there_are_threads() -> None:
    bench, answer = Bench(), threading.Event()
    before = threading.active_count()

    def work(number: int) -> int:
        assert answer.wait(PATIENCE_S)
        return number

    for number in range(50):
        bench.lookups.run(lambda number=number: work(number), bench.done)
    assert threading.active_count() <= before + 4
    answer.set()
    bench.run_until(50)
    assert sorted(bench.results) == list(range(50))


@pytest.mark.parametrize(
    ("raised", "words"), [(OSError(2, "gone"), "gone"), (KeyError("slip"), "KeyError")]
)
def test_errors_are_results(raised: Exception, words: str) -> None:
    bench = Bench()

    def work() -> None:
        raise raised

    bench.lookups.run(work, bench.done)
    bench.lookups.run(lambda: 1, bench.done)
    bench.run_until(2)
    (error,) = (result for result in bench.results if result != 1)
    assert isinstance(error, OSError)
    assert words in str(error)
