"""How much the relay moves with one system call (TCP_SEND_BUFFER, TCP_RECV_BUFFER)."""

import re
import socket
from pathlib import Path
from typing import Any

import pytest
from support.pipe_ends import Held, receive_all, sender_and_receiver

from shmzmq.workers.receiving import Receiving
from shmzmq.workers.relay import Turn
from shmzmq.workers.relayed import call_limit, frame_codec
from shmzmq.workers.sending import Sending

MESSAGES = [[b"a" * 100] * 3, [b"b" * 5000, b"", b"c" * 255], [b"d" * 20_000], [b"e"]]


def frames(messages: list[list[bytes]]) -> bytes:
    """Return the messages as they are on the wire (RFC 37, "Framing")."""
    codec = frame_codec((3, 1), -1)
    return b"".join(
        codec.header(len(part), int(at < len(parts) - 1)) + part
        for parts in messages
        for at, part in enumerate(parts)
    )


@pytest.mark.parametrize("most", [1, 7, 100, 1000, 8192, 25_000, 1 << 20])
def test_no_call_sends_more(held: Held, most: int) -> None:
    near, _, _, there = sender_and_receiver(held)
    # Of a socket of packets each call sends one, so they show what a call was to send.
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        sending = Sending(there, ours.fileno(), frame_codec((3, 1), -1), False, most)
        for parts in MESSAGES:
            send(near, parts)
        theirs.setblocking(False)
        packets = []
        state = Turn.MORE
        while state != Turn.IDLE:
            state = Turn(sending.send())
            packets += drain(theirs)
        assert b"".join(packets) == frames(MESSAGES)
        assert max(map(len, packets)) <= most
        assert len(packets) <= len(frames(MESSAGES)) // most + len(MESSAGES)  # and not much less


def send(near: Any, parts: list[bytes]) -> None:
    """Send one message."""
    for at, part in enumerate(parts):
        near.send(part, 2 if at < len(parts) - 1 else 0)


def drain(stream: socket.socket) -> list[bytes]:
    """Return the packets that have come."""
    packets = []
    while True:
        try:
            packets.append(stream.recv(1 << 20))
        except BlockingIOError:
            return packets


def calls_that_read() -> int:
    """Return how many system calls of this process have read anything (proc(5))."""
    found = re.search(r"^syscr: (\d+)$", Path("/proc/self/io").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize("most", [1, 7, 100, 1000, 8192])
def test_no_call_receives_more(held: Held, most: int) -> None:
    _, far, pipe, _ = sender_and_receiver(held)
    octets = frames(MESSAGES)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(octets)
        receiving = Receiving(pipe, ours.fileno(), frame_codec((3, 1), -1), False, b"", most)
        ours.setblocking(False)
        before = calls_that_read()
        while receiving.receive() == Turn.MORE:
            pass
        assert calls_that_read() - before >= len(octets) // most
        assert receive_all(far) == MESSAGES


def test_without_a_limit_few_calls_do(held: Held) -> None:
    _, far, pipe, _ = sender_and_receiver(held)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(frames(MESSAGES))
        receiving = Receiving(pipe, ours.fileno(), frame_codec((3, 1), -1), False)
        ours.setblocking(False)
        before = calls_that_read()
        assert receiving.receive() == Turn.IDLE
        assert calls_that_read() - before <= 4
        assert receive_all(far) == MESSAGES


@pytest.mark.parametrize(
    ("options", "most"),
    [
        ({}, 0),
        ({"TCP_SEND_BUFFER": 100}, 100),
        ({"OUT_BATCH_SIZE": 50}, 50),
        ({"TCP_SEND_BUFFER": 100, "OUT_BATCH_SIZE": 50}, 50),
        ({"TCP_RECV_BUFFER": 1}, 0),
    ],
)
def test_the_options_that_count(options: dict[str, int], most: int) -> None:
    assert call_limit(options, "TCP_SEND_BUFFER", "OUT_BATCH_SIZE") == most
