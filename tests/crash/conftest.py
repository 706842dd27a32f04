"""Fixtures of the crash tests."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from crash.cast import Cast

_FAILED = pytest.StashKey[bool]()
_SEEDS, _MORE_SEEDS = 2, 20


def _is_long(config: pytest.Config) -> bool:
    """Whether the tests may take minutes."""
    return bool(config.getoption("--stress", default=False))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that takes a seed with a few of them, with --stress with more."""
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(_MORE_SEEDS if _is_long(metafunc.config) else _SEEDS))


@pytest.fixture
def turns(request: pytest.FixtureRequest) -> int:
    """How often what may go wrong by chance is tried."""
    return 10 if _is_long(request.config) else 1


@pytest.fixture
def cast(nothing_left: None, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Cast]:
    """Processes to be killed. At the end everybody has ended and no name of theirs is left.

    To be asked for before `sockets`, so that it ends behind them: a living reader keeps what it may
    read.
    """
    cast = Cast(tmp_path)
    yield cast
    if request.node.stash.get(_FAILED, True):
        cast.abort()
    else:
        cast.finish()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the fixture know that its test failed, so that it clears away without further ado."""
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    return report
