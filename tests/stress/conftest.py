"""How long the stress tests run: seconds, or minutes with --stress."""

from collections.abc import Iterator

import pytest
from support.pipes import no_names_left

LONGER = 60


@pytest.fixture
def scale(request: pytest.FixtureRequest) -> int:
    """How many times as much as usual a stress test is to do."""
    return LONGER if request.config.getoption("--stress", default=False) else 1


@pytest.fixture(autouse=True)
def _no_names_left() -> Iterator[None]:
    with no_names_left():
        yield
