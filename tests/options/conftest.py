"""Every test of an option is checked for what it leaves behind."""

import pytest


@pytest.fixture(autouse=True)
def _clean(nothing_left: None) -> None:
    """Ask for the check in every test, also where no socket fixture does."""
