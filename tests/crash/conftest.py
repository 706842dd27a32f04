"""Fixtures of the crash tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from crash.cast import Cast


@pytest.fixture
def cast(
    nothing_left: None, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Cast]:
    """Processes to be killed. At the end everybody has ended and no name of theirs is left."""
    cast = Cast(tmp_path)
    try:
        yield cast
    except BaseException:
        cast.abort()
        raise
    if request.node.stash.get(FAILED, False):
        cast.abort()
    else:
        cast.finish()


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> object:
    """Let the fixture know that its test failed, so that it clears away without further ado."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report
