"""How long the stress tests run: seconds, or minutes with --stress."""

import contextlib
from collections.abc import Iterator

import pytest
from support.pipes import no_names_left

LONGER = 60


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --stress, unless a conftest above has it."""
    with contextlib.suppress(ValueError):
        parser.addoption("--stress", action="store_true", help="run the stress tests for minutes")


@pytest.fixture
def scale(request: pytest.FixtureRequest) -> int:
    """How many times as much as usual a stress test is to do."""
    return LONGER if request.config.getoption("--stress", default=False) else 1


@pytest.fixture(autouse=True)
def _no_names_left() -> Iterator[None]:
    with no_names_left():
        yield
