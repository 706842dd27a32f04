"""Ends of pipes for the tests of pipes, and the words that both ends share."""

from shmzmq.errors import Again
from shmzmq.patterns.dealer import Dealer
from shmzmq.patterns.pull import Pull
from shmzmq.patterns.push import Push
from shmzmq.pipe import Pipe
from shmzmq.pipe_segment import create_pipe_segment
from shmzmq.shm import segment as segments
from shmzmq.shm.blocks import Pool
from shmzmq.shm.layout import OFFSETS, RING_CONTROL_OFFSETS, Kind
from shmzmq.socket_base import SocketBase
from support.pipes import bare_socket, connect

DONTWAIT, SNDMORE = 1, 2

Held = list[SocketBase | Pipe | Pool]
"""What a test has made and whose names go when it ends."""


def word(pipe: Pipe, ring: int, name: str) -> int:
    """Return a word of a ring's control block as it stands in memory."""
    return int(pipe.segment.word(RING_CONTROL_OFFSETS[ring] + OFFSETS["ring"][name]))


def set_word(pipe: Pipe, ring: int, name: str, value: int) -> None:
    """Overwrite a word of a ring's control block."""
    pipe.segment.set_word(RING_CONTROL_OFFSETS[ring] + OFFSETS["ring"][name], value)


def board_word(socket: SocketBase, name: str) -> int:
    """Return a word of a socket's board."""
    return int(socket.board.segment.word(OFFSETS["board"][name]))


def sender_and_receiver(
    held: Held, limit: int = 0, *, private: bool = True
) -> tuple[SocketBase, SocketBase, Pipe, Pipe]:
    """Return a DEALER that connected to another, and the two ends of the pipe between them."""
    near, far = bare_socket(Dealer(), private=private), bare_socket(Dealer(), private=private)
    ends = connect(near, far, limit=limit, private=private)
    held.extend((near, far, *ends))
    return near, far, *ends


def unattached(held: Held, limit: int = 0) -> tuple[SocketBase, Pipe]:
    """Return a PUSH whose connecting pipe has no far end yet."""
    socket = bare_socket(Push(), private=False)
    segment = create_pipe_segment(outbound=4096, inbound=4096, token=b"0123456789abcdef")
    pipe = Pipe(segment, 0, socket.board, socket.board.allocate(), limit)
    socket.hold_pipe(pipe)
    socket.pattern.attach(pipe)
    held.extend((socket, pipe))
    return socket, pipe


def far_end_of(held: Held, socket: SocketBase, pipe: Pipe, limit: int = 0) -> SocketBase:
    """Attach a PULL to *pipe* as another process would: it opens everything by name."""
    far = bare_socket(Pull(), private=False)
    segment = segments.open_segment(pipe.segment.name, Kind.PIPE)
    segment.unlink()
    end = Pipe(segment, 1, far.board, far.board.allocate(), limit)
    far.hold_pipe(end)
    pipe.attach(far.board, end.bit)
    pipe.set_limits(limit, limit)
    end.attach(socket.board, pipe.bit)
    end.set_limits(limit, limit)
    far.pattern.attach(end)
    held.extend((far, end))
    return far


def receive_all(socket: SocketBase) -> list[list[bytes]]:
    """Receive whole messages until there is none."""
    messages: list[list[bytes]] = []
    while True:
        try:
            parts = [socket.recv(DONTWAIT)]
        except Again:
            return messages
        while socket.more:
            parts.append(socket.recv(DONTWAIT))
        messages.append(parts)


def send_until_full(socket: SocketBase, messages: list[bytes]) -> int:
    """Send until there is no room, and return how many messages went."""
    for number, message in enumerate(messages):
        try:
            socket.send(message, DONTWAIT)
        except Again:
            return number
    return len(messages)
