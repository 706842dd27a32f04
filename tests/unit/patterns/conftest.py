"""What the tests of the patterns share: stars of sockets with pipes inside this process."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from support.pipes import MakeStar, Star, bare_socket, no_names_left


@pytest.fixture
def make_star() -> Iterator[MakeStar]:
    """Make stars: make_star(hub pattern, far patterns, limit=0, routing_ids=())."""
    stars: list[Star] = []

    def make(hub: Any, far: list[Any], limit: int = 0, routing_ids: Sequence[bytes] = ()) -> Star:
        star = Star(bare_socket(hub), [bare_socket(pattern) for pattern in far])
        stars.append(star)
        star.join(limit, routing_ids or [b""] * len(far))
        return star

    with no_names_left():
        yield make
        for star in stars:
            star.discard()
