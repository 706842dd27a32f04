"""The heartbeat timers, by a clock that the test moves (RFC 37, "Connection Heartbeating")."""

from typing import NamedTuple

import pytest

from shmzmq.zmtp.heartbeat import Due, Heartbeat

START = object()
TRAFFIC = object()


class PeerPing(NamedTuple):
    """The peer's PING with that time to live, in tenths of a second."""

    ttl: int


# options (ivl, timeout, ttl in ms); then rows of: time in s, what happens or what check() finds,
# next timeout
SCRIPTS = [
    pytest.param((0, -1, 0), [(0.0, START, None), (9.0, Due.NOTHING, None)], id="off"),
    pytest.param(
        (1000, -1, 0),
        [
            (0.0, START, 1.0),
            (0.999, Due.NOTHING, 1.0),
            (1.0, Due.PING, 2.0),
            (1.5, TRAFFIC, 2.0),
            (2.25, Due.PING, 3.25),
            (3.25, Due.TIMEOUT, None),
        ],
        id="the timeout is the interval unless it is set",
    ),
    pytest.param(
        (1000, 2500, 0),
        [
            (0.0, START, 1.0),
            (1.0, Due.PING, 2.0),
            (2.0, Due.PING, 3.0),
            (3.0, Due.PING, 3.5),
            (3.4, Due.NOTHING, 3.5),
            (3.5, Due.TIMEOUT, None),
        ],
        id="later PINGs do not put the timeout off",
    ),
    pytest.param(
        (1000, 0, 0),
        [(0.0, START, 1.0), *((float(s), Due.PING, s + 1.0) for s in range(1, 9))],
        id="a timeout of 0 waits for ever",
    ),
    pytest.param(
        (0, -1, 0),
        [
            (0.0, START, None),
            (1.0, PeerPing(30), 4.0),
            (2.0, TRAFFIC, None),
            (9.0, Due.NOTHING, None),
            (10.0, PeerPing(0), None),
            (11.0, PeerPing(30), 14.0),
            (12.0, PeerPing(30), 15.0),
            (14.5, Due.NOTHING, 15.0),
            (15.0, Due.TTL, None),
        ],
        id="the peer's time to live",
    ),
    pytest.param(
        (0, -1, 0),
        [(0.0, PeerPing(65535), 6553.5), (6553.4, Due.NOTHING, 6553.5)],
        id="longest ttl",
    ),
]


@pytest.mark.parametrize(("options", "rows"), SCRIPTS)
def test_scripts(
    options: tuple[int, int, int], rows: list[tuple[float, object, float | None]]
) -> None:
    heartbeat = Heartbeat(*options)
    for now, what, next_timeout in rows:
        if isinstance(what, Due):
            assert heartbeat.check(now) is what, now
            if what in (Due.TIMEOUT, Due.TTL):
                return
        elif what is START:
            heartbeat.start(now)
        elif what is TRAFFIC:
            heartbeat.note_traffic()
        elif isinstance(what, PeerPing):
            heartbeat.note_ping(what.ttl, now)
        assert heartbeat.next_timeout() == next_timeout, now


@pytest.mark.parametrize(
    ("ttl_ms", "tenths"), [(0, 0), (99, 0), (100, 1), (3000, 30), (6553599, 65535)]
)
def test_ttl_is_told_in_tenths_of_a_second(ttl_ms: int, tenths: int) -> None:
    assert Heartbeat(1, -1, ttl_ms).ttl == tenths
