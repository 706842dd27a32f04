"""The mad peer: it shares a pipe and the victim's board, and writes what it likes there."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from support.channel import ChildProcess
from support.far_pipes import offer_pipe
from support.pipes import bare_socket, discard

from shmzmq.constants import SocketType
from shmzmq.errors import Again
from shmzmq.patterns import new_pattern
from shmzmq.pipe import Pipe
from shmzmq.shm.board import Board
from shmzmq.shm.layout import BOARD_SIZE, OFFSETS, RECORDS_OFFSET, RING_CONTROL_OFFSETS
from shmzmq.socket_base import SocketBase

DONTWAIT, SNDMORE = 1, 2
PEERS = {
    SocketType.PULL: SocketType.PUSH,
    SocketType.DEALER: SocketType.DEALER,
    SocketType.REP: SocketType.DEALER,
    SocketType.ROUTER: SocketType.DEALER,
    SocketType.SUB: SocketType.XPUB,
    SocketType.XSUB: SocketType.XPUB,
    SocketType.XPUB: SocketType.XSUB,
    SocketType.PUSH: SocketType.PULL,
    SocketType.PUB: SocketType.SUB,
}
_WORDS = (0, 1, 2, 4, 7, 8, 16, 24, 64, 4088, 4096, 1 << 20, 1 << 31, 1 << 32, 1 << 48, 1 << 63)


class Round:
    """One victim socket with a mad peer and a healthy one; all of it ends with the round."""

    def __init__(self, child: ChildProcess, victim: SocketType, limit: int) -> None:
        self.channel = child.channel
        self.victim = victim
        self.channel.send([int(victim), limit])
        self.mad_socket, self.healthy_socket = (
            bare_socket(new_pattern(PEERS[victim]), private=False) for _ in "12"
        )
        self.mad: Pipe = offer_pipe(self.channel, self.mad_socket, limit=limit)
        self.healthy: Pipe = offer_pipe(self.channel, self.healthy_socket, limit=limit)
        if victim == SocketType.PUB:
            for socket in (self.mad_socket, self.healthy_socket):
                socket.pattern.configure("SUBSCRIBE", b"")
        assert self.channel.hear() == "ready"
        self.pings = 0

    # -- the healthy peer --------------------------------------------------------------------------

    def check_healthy(self, *, pings: int = 3) -> None:
        """Make sure that the healthy peer is served as if nothing was."""
        if self.victim in (SocketType.PUSH, SocketType.PUB):
            self._hear_from_sender()
            return
        for _ in range(pings):
            self.pings += 1
            self._say(b"healthy %d" % self.pings, b"." * (self.pings * 1000 % 7000))
            assert self.channel.hear() == f"healthy {self.pings}"
            drain(self.healthy_socket)

    def _hear_from_sender(self) -> None:
        """The victim sends so much that the healthy peer must get some of it."""
        self.channel.send([10, 1000, 10, 10])
        self.channel.hear()
        self.pings += 1
        assert self.healthy_socket.poll_events(1, 20_000) == 1
        got = drain(self.healthy_socket)
        assert got
        assert all(part.rstrip(b".") == b"healthy" for part in got)

    def _say(self, *parts: bytes) -> None:
        envelope = [b""] if self.victim == SocketType.REP else []
        for part in (*envelope, *parts[:-1]):
            self.healthy_socket.send(part, SNDMORE)
        self.healthy_socket.send(parts[-1])

    def finish(self) -> dict[str, Any]:
        """End the round and return how the victim saw it."""
        if self.victim in (SocketType.PUSH, SocketType.PUB):
            self.channel.send([])
        else:
            self._say(b"healthy stop")
        report: dict[str, Any] = self.channel.hear()
        return report

    def discard(self) -> None:
        """Take the names away."""
        discard(self.mad_socket, self.healthy_socket, self.mad, self.healthy)

    # -- the mad peer ------------------------------------------------------------------------------

    def send_madly(self, *parts: bytes) -> None:
        """Send a message through the mad pipe by its ordinary code, as far as that still works."""
        if self.mad_socket.pattern.sends and not self.mad.is_broken:
            try:
                for part in parts[:-1]:
                    self.mad_socket.send(part, DONTWAIT | SNDMORE)
                self.mad_socket.send(parts[-1], DONTWAIT)
            except Again:
                self.mad_socket.pattern.rollback()

    def poke_ring(self, ring: int, name: str, value: int) -> None:
        """Overwrite a word of a ring's control block. Ring 0 is what the victim reads."""
        offset = RING_CONTROL_OFFSETS[ring] + OFFSETS["ring"][name]
        self.mad.segment.set_word(offset, value & (1 << 64) - 1)

    def peek_ring(self, ring: int, name: str) -> int:
        """Return a word of a ring's control block."""
        offset = RING_CONTROL_OFFSETS[ring] + OFFSETS["ring"][name]
        return int(self.mad.segment.word(offset))

    def poke_record(self, place: int, value: int) -> None:
        """Overwrite a word of what the victim reads."""
        self.mad.segment.set_word(RECORDS_OFFSET + place, value & (1 << 64) - 1)

    @property
    def victims_board(self) -> Board:
        """The victim's board, which the mad pipe has mapped."""
        board = self.mad.peer
        assert board is not None, "the mad pipe has its far end from the start"
        return board

    def wake_victim(self) -> None:
        """Post the mad pipe on the victim's board, as its flush would, and ring."""
        board = self.victims_board.segment
        word, bit = divmod(self.mad.peer_bit, 64)
        place = OFFSETS["board"]["ready"] + 8 * word
        board.set_word(place, board.word(place) | 1 << bit)
        self.victims_board.notify(0)


def drain(socket: SocketBase) -> list[bytes]:
    """Receive whatever there is."""
    got: list[bytes] = []
    if not socket.pattern.receives:
        return got
    while True:
        try:
            got.append(socket.recv(DONTWAIT))
        except Again:
            return got


def some_word(chosen: random.Random, near: int) -> int:
    """Return a value that may hurt: near what stands there, a power of two, or anything."""
    kind = chosen.randrange(4)
    if kind == 0:
        return near + chosen.choice((-4096, -16, -8, -1, 1, 7, 8, 16, 24, 4096))
    if kind == 1:
        return chosen.choice(_WORDS)
    if kind == 2:
        return -chosen.choice(_WORDS)
    return chosen.getrandbits(64)


def garble_control(attack: Round, chosen: random.Random) -> None:
    """Overwrite words of both control blocks."""
    for _ in range(chosen.randrange(1, 6)):
        ring, name = chosen.randrange(2), chosen.choice(list(OFFSETS["ring"]))
        attack.poke_ring(ring, name, some_word(chosen, attack.peek_ring(ring, name)))
        if chosen.randrange(2):
            attack.send_madly(b"after")
        attack.wake_victim()


def garble_records(attack: Round, chosen: random.Random) -> None:
    """Publish messages whose records say something else, or other records altogether."""
    start = attack.peek_ring(0, "tail")
    for _ in range(chosen.randrange(1, 20)):
        place = 8 * chosen.randrange(512)
        size = chosen.choice((0, 1, 8, 100, 4000, 16_000, 1 << 20, 1 << 40, (1 << 56) - 1))
        attack.poke_record(place, size << 8 | chosen.choice((0, 0, 1, 2, 4, 8, 16, 32, 255)))
    attack.poke_ring(0, "tail", start + 8 * chosen.randrange(2500))
    attack.wake_victim()


def garble_area(attack: Round, chosen: random.Random) -> None:
    """Grow the ring, and overwrite the area's header or its records before the victim opens it."""
    attack.poke_ring(0, "attentive", 1)
    attack.send_madly(b"x" * 9000, b"y" * chosen.choice((10, 20_000, 200_000)))
    areas = attack.mad.outbound.all_areas()
    for area in areas:
        for _ in range(chosen.randrange(1, 30)):
            base = chosen.choice((0, RECORDS_OFFSET))
            area.set_word(base + 8 * chosen.randrange(16), some_word(chosen, 0) & (1 << 64) - 1)
    attack.wake_victim()


def garble_chain(attack: Round, chosen: random.Random) -> None:
    """Name something else as the area in which the records go on."""
    names = (
        attack.mad.segment.name,
        attack.healthy.segment.name,
        attack.victims_board.name,
        attack.healthy_socket.board.name,
        "/shmzmq-0-0-0-0-0",
        "private:1",
        "\0" * 40,
        "../../etc/passwd",
    )
    name = chosen.choice(names).encode()
    tail = attack.peek_ring(0, "tail")
    place = tail % 16384
    attack.poke_record(place, len(name) << 8 | 16)
    start = RECORDS_OFFSET + place + 8
    attack.mad.segment.memory[start : start + len(name)] = name
    attack.poke_ring(0, "tail", tail + 8 + (len(name) + 7 & ~7) + 8 * chosen.randrange(3))
    attack.wake_victim()


def garble_everything(attack: Round, chosen: random.Random) -> None:
    """Fill a stretch of the pipe's segment with noise, its header and control blocks too."""
    size = attack.mad.segment.size
    start = chosen.choice((0, 128, 512, RECORDS_OFFSET, chosen.randrange(size)))
    noise = chosen.randbytes(min(chosen.choice((8, 100, 1000, size)), size - start))
    attack.mad.segment.memory[start : start + len(noise)] = noise
    attack.wake_victim()


def garble_board(attack: Round, chosen: random.Random) -> None:
    """Overwrite words of the victim's board, or all of it."""
    board = attack.victims_board.segment
    for _ in range(chosen.choice((1, 5, 50))):
        offset = chosen.choice((*OFFSETS["board"].values(), 8 * chosen.randrange(BOARD_SIZE // 8)))
        board.set_word(offset, some_word(chosen, board.word(offset)) & (1 << 64) - 1)
    if chosen.randrange(3) == 0:
        board.memory[128:BOARD_SIZE] = chosen.randbytes(BOARD_SIZE - 128)


ATTACKS: dict[str, Callable[[Round, random.Random], None]] = {
    "control": garble_control,
    "records": garble_records,
    "area": garble_area,
    "chain": garble_chain,
    "everything": garble_everything,
    "board": garble_board,
}


@contextmanager
def attacked(child: ChildProcess, victim: SocketType, limit: int = 0) -> Iterator[Round]:
    """Play a round; names go in the end."""
    attack = Round(child, victim, limit)
    try:
        yield attack
    finally:
        attack.discard()
