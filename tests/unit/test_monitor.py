"""The sending end of a monitor: order, what is wanted, and what went with a worker."""

import struct
from typing import Any, cast

import pytest

from shmzmq.constants import Event
from shmzmq.errors import Again
from shmzmq.monitor import Monitor
from shmzmq.workers.commands import MonitorEvent

A, B = cast("Any", "worker a"), cast("Any", "worker b")


class End:
    """Stands in for the PAIR socket that a monitor sends on."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, int, str]] = []
        self.options: list[tuple[int, int]] = []
        self.reports: list[str] = []
        self.closed = False
        self.full = False
        self.on_send: list[Any] = []

    def send_multipart(self, parts: list[bytes], flags: int) -> None:
        """Take a message, after what happens in the middle of that."""
        assert not self.closed
        if self.full:
            raise Again
        if self.on_send:
            self.on_send.pop(0)()
        event, value = struct.unpack("=Hi", parts[0])
        self.sent.append((event, value, parts[1].decode()))

    def set(self, option: int, value: int) -> None:
        """Set an option; no high water mark is left when it is the limit."""
        self.full = False

    def report(self, text: str) -> None:
        """Log."""
        self.reports.append(text)

    def close(self) -> None:
        """Close."""
        self.closed = True


@pytest.fixture
def end() -> End:
    """Return a sending end."""
    return End()


def monitor_of(end: End, wanted: int = Event.ALL) -> Monitor:
    """Return a monitor that sends on *end*."""
    return Monitor(cast("Any", end), wanted)


def heard(event: int, value: int = 0, address: str = "tcp://a:1") -> MonitorEvent:
    """Return what a worker says."""
    return MonitorEvent(1, event, value, address)


def test_events_heard_in_the_middle_of_a_send_come_after_it(end: End) -> None:
    monitor = monitor_of(end)
    end.on_send.append(lambda: monitor.hear(A, heard(Event.CONNECTED, 7)))
    monitor.hear(A, heard(Event.CONNECT_DELAYED, 115))
    assert [event for event, _, _ in end.sent] == [Event.CONNECT_DELAYED, Event.CONNECTED]


def test_a_monitor_stopped_in_the_middle_of_a_send_closes_after_it(end: End) -> None:
    monitor = monitor_of(end)
    end.on_send.append(monitor.stop)
    monitor.hear(A, heard(Event.CLOSED, 7))
    assert [event for event, _, _ in end.sent] == [Event.CLOSED, Event.MONITOR_STOPPED]
    assert end.closed


def test_what_was_open_goes_with_its_worker(end: End) -> None:
    monitor = monitor_of(end, Event.CLOSED | Event.DISCONNECTED)
    monitor.hear(A, heard(Event.LISTENING, 5, "tcp://a:1"))
    monitor.hear(A, heard(Event.ACCEPTED, 6, "tcp://a:1"))
    monitor.hear(A, heard(Event.CONNECTED, 7, "tcp://b:2"))
    monitor.hear(B, heard(Event.CONNECTED, 7, "tcp://c:3"))
    monitor.hear(A, heard(Event.CONNECTED, 8, "tcp://d:4"))
    monitor.hear(A, heard(0, 8, "tcp://d:4"))  # ended as the application wanted
    monitor.hear(A, heard(Event.CONNECTED, 9, "tcp://e:5"))
    monitor.hear(A, heard(Event.DISCONNECTED, 9, "tcp://e:5"))
    assert end.sent == [(Event.DISCONNECTED, 9, "tcp://e:5")]
    end.sent.clear()
    monitor.worker_died(A)
    monitor.worker_died(A)
    assert end.sent == [
        (Event.CLOSED, 5, "tcp://a:1"),
        (Event.DISCONNECTED, 6, "tcp://a:1"),
        (Event.DISCONNECTED, 7, "tcp://b:2"),
    ]


def test_a_reader_that_is_behind_misses_events_but_not_the_end(end: End) -> None:
    monitor = monitor_of(end)
    end.full = True
    monitor.hear(A, heard(Event.CONNECT_RETRIED, 100))
    monitor.hear(A, heard(Event.CONNECT_RETRIED, 100))
    assert len(end.reports) == 1
    end.full = False
    monitor.hear(A, heard(Event.CONNECTED, 5))
    end.full = True
    monitor.hear(A, heard(Event.CONNECT_RETRIED, 100))
    assert len(end.reports) == 2
    monitor.stop()
    assert [event for event, _, _ in end.sent] == [Event.CONNECTED, Event.MONITOR_STOPPED]


def test_a_socket_that_closes_has_no_more_connections_to_tell_of(end: End) -> None:
    monitor = monitor_of(end)
    monitor.socket_closes()
    monitor.hear(A, heard(Event.DISCONNECTED, 5))
    monitor.hear(A, heard(Event.CLOSED, 6))
    monitor.stop()
    assert [event for event, _, _ in end.sent] == [Event.CLOSED, Event.MONITOR_STOPPED]
