"""Records behave as frozen dataclasses do."""

import pytest

from shmzmq.zmtp.events import Ended, Event, MessageFrame, Ping, Pong, TimedOut
from shmzmq.zmtp.record import Record


class Point(Record):
    """A record with a default."""

    x: int
    y: int = 7


class Named(Point):
    """A record that adds a field to its base's."""

    name: str = "origin"


def test_fields_by_position_and_by_name() -> None:
    assert (Point(1).x, Point(1).y) == (1, 7)
    assert Point(1, 2) == Point(x=1, y=2) == Point(1, y=2)
    named = Named(1, 2, "p")
    assert (named.x, named.y, named.name) == (1, 2, "p")
    assert Named(1).name == "origin"


@pytest.mark.parametrize(
    ("values", "named", "match"),
    [
        ((), {}, "lacks x"),
        ((), {"y": 1}, "lacks x"),
        ((1, 2, 3), {}, "takes 2 values"),
        ((1,), {"x": 1}, "no free field 'x'"),
        ((1,), {"z": 1}, "no free field 'z'"),
    ],
)
def test_fields_that_lack_or_are_too_many(
    values: tuple[int, ...], named: dict[str, int], match: str
) -> None:
    with pytest.raises(TypeError, match=match):
        Point(*values, **named)


def test_immutable() -> None:
    point = Point(1)
    with pytest.raises(AttributeError, match="cannot set 'x'"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError, match="cannot delete 'x'"):
        del point.x
    assert point.x == 1


def test_equality_hash_and_text() -> None:
    assert Ping(0, b"c") != Pong(b"c")
    assert Pong(b"c") == Pong(b"c")
    assert MessageFrame(b"x", True) != MessageFrame(b"x", False)
    assert Pong(b"c") != (b"c",)
    assert len({Point(1), Point(1, 7), Point(2), Named(1)}) == 3
    assert repr(Named(1, name="p")) == "Named(x=1, y=7, name='p')"
    assert isinstance(TimedOut(True, "ttl"), Ended)
    assert issubclass(Ended, Event)
