"""Plain TCP peers for sockets of the library, and the check that nothing is left behind."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from support.plain import Plain


@pytest.fixture(autouse=True)
def _clean(nothing_left: None) -> None:
    """Ask for the check in every test."""


@pytest.fixture
def plain() -> Iterator[Plain]:
    """Makes plain TCP sockets."""
    with ExitStack() as stack:
        yield Plain(stack)
