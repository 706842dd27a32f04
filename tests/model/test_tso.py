"""The explorer on programs whose outcomes are known: what a TSO machine allows, and what not."""

import pytest
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
    signal,
    store,
    wait_for,
    wait_for_change,
)


def store_buffering(fenced: bool) -> Result:
    """Two processes each store to one word and look at the other's; one must see the other."""

    def side(mine: str, other: str) -> Process:
        yield store(mine, 1)
        if fenced:
            yield fence()
        seen = yield load(other)
        yield exchange(f"saw_{other}", seen + 1)

    def judge() -> Process:
        yield wait_for("saw_x")
        yield wait_for("saw_y")
        x = yield load("saw_x")
        y = yield load("saw_y")
        if x == y == 1:
            raise Violation("both missed the other")

    memory = dict.fromkeys(("x", "y", "saw_x", "saw_y"), 0)
    return Explorer(memory, [lambda: side("x", "y"), lambda: side("y", "x"), judge]).explore()


def test_should_find_that_stores_are_late() -> None:
    result = store_buffering(fenced=False)
    assert result.violation is not None
    assert "both missed" in result.violation
    assert any("becomes visible" in step for step in result.trace)


def test_should_find_that_fences_are_enough() -> None:
    assert store_buffering(fenced=True).violation is None


def test_should_keep_stores_and_loads_in_order() -> None:
    def writer() -> Process:
        yield store("data", 1)
        yield store("flag", 1)

    def reader() -> Process:
        yield wait_for_change("flag", 0)
        data = yield load("data")
        if not data:
            raise Violation("the flag overtook the data")

    assert Explorer({"data": 0, "flag": 0}, [writer, reader]).explore().violation is None
    back = Explorer({"data": 0, "flag": 0}, [_backwards, reader]).explore()
    assert back.violation == "reader: the flag overtook the data"


def _backwards() -> Process:
    yield store("flag", 1)
    yield store("data", 1)


def test_should_let_a_process_see_its_own_stores_at_once() -> None:
    def process() -> Process:
        yield store("x", 1)
        yield store("x", 2)
        x = yield load("x")
        if x != 2:
            raise Violation(str(x))

    assert Explorer({"x": 0}, [process]).explore().violation is None


def test_should_make_exchange_indivisible() -> None:
    def taker() -> Process:
        was = yield exchange("lock", 1)
        if not was:
            holders = yield fetch_or("held", 1)
            if holders:
                raise Violation("two hold the lock")

    assert Explorer({"lock": 0, "held": 0}, [taker, taker, taker]).explore().violation is None


def test_should_drain_before_an_exchange() -> None:
    def process() -> Process:
        yield store("x", 1)
        yield exchange("y", 1)

    def other() -> Process:
        yield wait_for("y")
        x = yield load("x")
        if not x:
            raise Violation("the exchange overtook the store")

    assert Explorer({"x": 0, "y": 0}, [process, other]).explore().violation is None


def test_should_not_drain_at_a_signal() -> None:
    def process() -> Process:
        yield store("x", 1)
        yield signal("bell")

    def other() -> Process:
        yield wait_for("bell")
        x = yield load("x")
        if not x:
            raise Violation("the bell overtook the store")

    assert Explorer({"x": 0, "bell": 0}, [process, other]).explore().violation is not None


def test_should_tell_who_waits_for_ever_and_how_it_came() -> None:
    def sleeper() -> Process:
        yield wait_for("bell")

    def ringer() -> Process:
        rings = yield choose(True, False)
        if rings:
            yield signal("bell")

    result = Explorer({"bell": 0}, [sleeper, ringer]).explore()
    assert result.violation == "sleeper waits for ever: wait bell 0"
    assert result.trace == ("ringer: choose  (True, False) -> False",)


def test_should_count_each_state_once() -> None:
    """Two processes of three atomic steps each: a grid of four by four places."""

    def process(word: str) -> Process:
        step = 0
        while step < 3:
            step += 1
            yield exchange(word, step)

    result = Explorer({"x": 0, "y": 0}, [lambda: process("x"), lambda: process("y")]).explore()
    assert result.states == 16


def test_should_come_to_an_end_when_processes_go_round_for_ever() -> None:
    def spinner() -> Process:
        x = 0
        while not x:
            x = yield load("x")

    def stopper() -> Process:
        yield store("x", 1)

    assert Explorer({"x": 0}, [spinner, stopper]).explore().violation is None


def test_should_refuse_a_process_that_keeps_what_cannot_be_compared() -> None:
    def process() -> Process:
        kept = object()
        yield load("x")
        assert kept

    with pytest.raises(TypeError, match="must not keep"):
        Explorer({"x": 0}, [process])
