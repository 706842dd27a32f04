"""What the unit tests of pipes share."""

from collections.abc import Iterator

import pytest
from support.pipe_ends import Held
from support.pipes import discard, no_names_left


@pytest.fixture
def held() -> Iterator[Held]:
    """Whatever a test puts in here has its names taken away in the end; no other may be left."""
    things: Held = []
    with no_names_left():
        yield things
        discard(*things)
