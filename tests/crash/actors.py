"""What the processes of these tests do. Started as ``python -m crash.actors NAME PART FD``.

NAME is one of the functions below, PART its parameters in JSON, FD the channel to the test. An
actor goes on until it is told anything or its channel is closed, so that none outlives its test.
"""

import json
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crash.payload import Ledger, header, large_message, message, whose
from crash.record import Record
from support.channel import Channel
from support.library import Socket, zmq

LEAD = 300
"""How many messages a publisher may be ahead of the slowest subscriber."""


class Stage:
    """What an actor knows: its part and its way to speak with the test."""

    def __init__(self, part: dict[str, Any]) -> None:
        self.part = part
        self.channel = Channel.inherited()
        self.context = zmq.Context()
        self.record = Record(part["record"]) if "record" in part else None
        self._fd = int(sys.argv[-1])
        self._prompt = select.poll()
        self._prompt.register(self._fd, select.POLLIN)

    @property
    def is_over(self) -> bool:
        """Whether the test has said something or has gone."""
        return bool(self._prompt.poll(0))

    def await_end(self) -> None:
        """Do nothing until it is over."""
        self._prompt.poll()

    @contextmanager
    def socket(self) -> Iterator[Socket]:
        """Open the socket of the part, and end the context behind it in the ordinary way."""
        part = self.part
        with self.context.socket(getattr(zmq, part["type"])) as socket:
            for name, value in part.get("options", {}).items():
                socket.set(getattr(zmq, name.upper()), _bytes(value))
            getattr(socket, part["how"])(part["endpoint"])
            self.channel.send("open")
            yield socket
            # Whoever was to read the rest may have ended already.
            socket.linger = 0
        self.context.term()

    def wait(self, socket: Socket, events: int) -> None:
        """Wait until the socket has one of the events, or it is over."""
        poller = zmq.Poller()
        poller.register(socket, events)
        poller.register(self._fd, zmq.POLLIN)
        poller.poll()

    def receive(self, socket: Socket) -> list[bytes] | None:
        """Return the next message; None when it is over."""
        while not self.is_over:
            try:
                parts: list[bytes] = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                self.wait(socket, zmq.POLLIN)
            else:
                return parts
        return None

    def send(self, socket: Socket, parts: list[bytes]) -> bool:
        """Send a message; false when it is over and the message was not sent."""
        while not self.is_over:
            try:
                socket.send_multipart(parts, zmq.NOBLOCK)
            except zmq.Again:
                self.wait(socket, zmq.POLLOUT)
            else:
                return True
        return False


def _bytes(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


def send(stage: Stage) -> None:
    """Send the messages of *sender* one after the other, and note each when it has been sent.

    An XPUB begins when it has a subscriber, and keeps close to what is noted in the record
    *slowest*.
    """
    sender, number = stage.part["sender"], 0
    slowest = Record(stage.part["slowest"]) if "slowest" in stage.part else None
    assert stage.record is not None
    with stage.socket() as socket:
        if slowest:
            stage.receive(socket)
        while stage.send(socket, message(sender, number)):
            stage.record.note(number)
            number += 1
            while slowest and number > slowest.following + LEAD and not stage.is_over:
                os.sched_yield()


def receive(stage: Stage) -> None:
    """Receive from one sender, check that nothing is missing, and note each message.

    After *most* of them, if that is in the part, do nothing more.
    """
    ledger = Ledger()
    assert stage.record is not None
    left = stage.part.get("most", -1)
    with stage.socket() as socket:
        while left != 0 and (parts := stage.receive(socket)) is not None:
            sender = ledger.note(parts)
            stage.record.note(ledger.following[sender] - 1)
            left -= 1
        stage.await_end()


def send_large(stage: Stage) -> None:
    """Send the large messages of *sender* one after the other, and note each."""
    sender, number = stage.part["sender"], 0
    assert stage.record is not None
    with stage.socket() as socket:
        while stage.send(socket, large_message(sender, number)):
            stage.record.note(number)
            number += 1


def keep(stage: Stage) -> None:
    """Receive large messages without a copy, check them, and keep the last twenty."""
    kept: list[list[zmq.Frame]] = []
    assert stage.record is not None
    with stage.socket() as socket:
        while not stage.is_over:
            try:
                frames = socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                stage.wait(socket, zmq.POLLIN)
                continue
            kept = [*kept[-19:], frames]
            sender, number = header(frames[0].bytes)
            if [frame.bytes for frame in frames] != large_message(sender, number):
                raise ValueError(f"message {number} of sender {sender} is not as it was sent")
            stage.record.note(number)


def tally(stage: Stage) -> None:
    """Receive what others get a share of too; check that each message is whole, and count them."""
    assert stage.record is not None
    count = 0
    with stage.socket() as socket:
        while (parts := stage.receive(socket)) is not None:
            whose(parts)
            stage.record.note(count)
            count += 1


def ask(stage: Stage) -> None:
    """Send requests and check the answers, with up to *window* of them under way (REQ: one)."""
    sender, window = stage.part["sender"], stage.part.get("window", 1)
    assert stage.record is not None
    asked = answered = 0
    with stage.socket() as socket:
        while not stage.is_over:
            while asked < answered + window and stage.send(socket, message(sender, asked)):
                asked += 1
            answer = stage.receive(socket)
            if answer is None:
                break
            if whose(answer) != (sender, answered):
                raise ValueError(f"answer {whose(answer)} where {(sender, answered)} was due")
            stage.record.note(answered)
            answered += 1


def answer(stage: Stage) -> None:
    """Send every request back to where it came from, and note how many there were."""
    head = 1 if stage.part["type"] == "ROUTER" else 0
    count = 0
    assert stage.record is not None
    with stage.socket() as socket:
        while (parts := stage.receive(socket)) is not None:
            whose(parts[head:])
            stage.record.note(count)
            count += 1
            stage.send(socket, parts)


def churn(stage: Stage) -> None:
    """Open a socket, connect, send three messages, close; again and again."""
    part, number = stage.part, 0
    while not stage.is_over:
        with stage.context.socket(getattr(zmq, part["type"])) as socket:
            socket.connect(part["endpoint"])
            for _ in range(3):
                socket.send_multipart(message(part["sender"], number))
                number += 1
    stage.context.destroy(linger=0)


def churn_binding(stage: Stage) -> None:
    """Bind, receive a few messages, close; again and again. Notes each message received."""
    part, number = stage.part, 0
    assert stage.record is not None
    while not stage.is_over:
        with stage.context.socket(getattr(zmq, part["type"])) as socket:
            socket.bind(part["endpoint"])
            for _ in range(1 + number % 5):
                parts = stage.receive(socket)
                if parts is None:
                    break
                stage.record.note(whose(parts)[1])
                number += 1
    stage.context.destroy(linger=0)


if __name__ == "__main__":
    globals()[sys.argv[1]](Stage(json.loads(sys.argv[2])))
