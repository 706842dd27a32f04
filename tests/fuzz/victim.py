"""A process with a socket that has a mad peer and a healthy one. It has to live through everything.

The parent says over the channel what to do: a round begins with a socket type, goes on with pipes
(the mad peer's first), then the victim receives until it hears "stop" from the healthy peer, or
sends as it is told, and says what has become of the pipes.
"""

from typing import Any

from support.channel import Channel
from support.far_pipes import take_pipe
from support.waiting import PATIENCE_MS

from shmzmq.constants import SocketType
from shmzmq.errors import Again, ZMQError
from shmzmq.patterns import new_pattern
from shmzmq.pipe import Pipe
from shmzmq.shm.board import create_board
from shmzmq.socket_base import SocketBase

DONTWAIT, SNDMORE = 1, 2
SENDERS = {SocketType.PUSH, SocketType.PUB}


class Victim(SocketBase):
    """A bare socket that lets pipes go at their end, as the full one does."""

    def __init__(self, socket_type: SocketType) -> None:
        self.let_go: list[Pipe] = []
        self.set_up(create_board(), new_pattern(socket_type))
        self.send_timeout_ms = self.receive_timeout_ms = PATIENCE_MS
        if socket_type == SocketType.SUB:
            self.pattern.configure("SUBSCRIBE", b"")

    def on_pipe_ended(self, pipe: Pipe) -> None:
        """Take *pipe* out of everything."""
        self.let_go.append(pipe)
        pipe.say_goodbye()
        self.pattern.detach(pipe)
        self.drop_pipe(pipe)
        pipe.inbound.abandon()


class Hurt:
    """What went wrong in a round: errors other than those that a mad peer may cause."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def note(self, error: ZMQError) -> None:
        """Note *error* unless it says that a message was cut off."""
        if "cut off" not in str(error):
            self.errors.append(repr(error))


def receive_until_stopped(channel: Channel, socket: Victim, kind: SocketType, hurt: Hurt) -> None:
    """Receive, tell of every ping, and answer where the socket's type answers."""
    while True:
        try:
            parts = [socket.recv()]
            while socket.more:
                parts.append(socket.recv())
            answer(socket, kind, parts)
        except Again:
            raise AssertionError("nothing comes any more") from None
        except ZMQError as error:
            hurt.note(error)
            continue
        pings = [part for part in parts if part.startswith(b"healthy")]
        if b"healthy stop" in pings:
            return
        if pings:
            channel.send(pings[0].decode())


def answer(socket: Victim, kind: SocketType, parts: list[bytes]) -> None:
    """Send *parts* back, or something like it, without waiting for anybody."""
    if kind in (SocketType.REP, SocketType.ROUTER, SocketType.DEALER, SocketType.XPUB):
        try:
            for part in parts[:-1]:
                socket.send(part, DONTWAIT | SNDMORE)
            socket.send(parts[-1], DONTWAIT)
        except Again:
            socket.pattern.rollback()


def send_as_told(channel: Channel, socket: Victim, hurt: Hurt) -> None:
    """Send messages of the sizes that the parent names, until it names none."""
    while sizes := channel.hear():
        sent = 0
        for size in sizes:
            try:
                socket.send(b"healthy".ljust(size, b"."), DONTWAIT)
                sent += 1
            except Again:
                pass
            except ZMQError as error:
                hurt.note(error)
        channel.send(sent)


def play_round(channel: Channel, kind: SocketType, limit: int) -> dict[str, Any]:
    """Live through one round, and tell how it went."""
    hurt = Hurt()
    socket = Victim(kind)
    try:
        mad = take_pipe(channel, socket, limit=limit)
        healthy = take_pipe(channel, socket, limit=limit)
        if kind == SocketType.XSUB:
            socket.send(b"\1")  # subscribes to everything
        channel.send("ready")
        if kind in SENDERS:
            send_as_told(channel, socket, hurt)
        else:
            receive_until_stopped(channel, socket, kind, hurt)
        return {
            "errors": hurt.errors,
            "mad": mad.is_broken,
            "reason": str(mad.describe()["inbound"]["reason"]),
            "let go": mad in socket.let_go,
            "healthy": not healthy.is_broken and healthy not in socket.let_go,
        }
    finally:
        socket.board.segment.unlink()


def main() -> None:
    """Play rounds until the parent hangs up."""
    channel = Channel.inherited()
    while True:
        try:
            kind, limit = channel.hear()
        except EOFError:
            return
        channel.send(play_round(channel, SocketType(kind), limit))


if __name__ == "__main__":
    main()
