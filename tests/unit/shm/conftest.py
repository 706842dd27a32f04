"""What the tests of shared memory share: rings, and the check that no name is left."""

from collections.abc import Callable, Iterator

import pytest
from support.pipes import Ring, no_names_left


@pytest.fixture(autouse=True)
def _no_names_left() -> Iterator[None]:
    """Fail a test that leaves a name in /dev/shm or a private segment behind."""
    with no_names_left():
        yield


@pytest.fixture
def make_ring(_no_names_left: None) -> Iterator[Callable[..., Ring]]:
    """Make rings in private memory: make_ring(capacity=4096, limit=0)."""
    rings: list[Ring] = []

    def make(capacity: int = 4096, limit: int = 0) -> Ring:
        rings.append(Ring(capacity, limit))
        return rings[-1]

    yield make
    for ring in rings:
        ring.discard()


@pytest.fixture
def ring(make_ring: Callable[..., Ring]) -> Ring:
    """A ring of 4 KiB without a high water mark."""
    return make_ring()
