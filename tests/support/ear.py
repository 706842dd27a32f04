"""Hears what a socket's monitor says."""

import struct
from typing import Any

from support.library import Socket, zmq
from support.waiting import PATIENCE_MS


class Ear:
    """Hears a socket's monitor, which is the test's to stop and the ear's to close."""

    def __init__(self, monitored: Socket, events: int | None = None) -> None:
        self.socket = monitored.get_monitor_socket(events)
        self.socket.rcvtimeo = PATIENCE_MS
        self.socket.linger = 0

    def next(self) -> tuple[Any, int, str]:
        """Wait for the next event: its number, value and endpoint."""
        head, endpoint = self.socket.recv_multipart()
        event, value = struct.unpack("=Hi", head)
        return zmq.Event(event), value, endpoint.decode()

    def expect(self, *events: int, endpoint: str | None = None) -> list[int]:
        """Hear exactly these events, about *endpoint*; return their values."""
        heard = [self.next() for _ in events]
        assert [event for event, _, _ in heard] == [zmq.Event(event) for event in events]
        if endpoint is not None:
            assert [name for _, _, name in heard] == [endpoint] * len(heard)
        return [value for _, value, _ in heard]

    def until(self, wanted: int) -> tuple[Any, int, str]:
        """Wait for an event of *wanted*; what comes before it does not matter."""
        while True:
            heard = self.next()
            if heard[0] & wanted:
                return heard
