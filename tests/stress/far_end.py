"""The other process of a stress test. It takes pipes and plays a part until that is through.

What it does, its socket type, and three numbers: SEED, COUNT and LIMIT.

push  sends the traffic of SEED, each message behind a part that tells SEED
pull  receives it and checks every byte
echo  sends every message back
ring  writes the traffic into a bare ring, whose segment is named in the first message
"""

import os
import sys

from stress.traffic import Pauses, Traffic
from support.channel import Channel
from support.far_pipes import take_pipe
from support.pipes import MORE, OK, bare_socket

from shmzmq.constants import SocketType
from shmzmq.patterns import new_pattern
from shmzmq.shm import segment as segments
from shmzmq.shm.layout import RECORDS_OFFSET, Kind
from shmzmq.shm.ring import Producer
from shmzmq.shm.segment import Segment
from shmzmq.socket_base import SocketBase

SNDMORE = 2


def send_all(socket: SocketBase, traffic: Traffic, pauses: Pauses) -> None:
    """Send every message of *traffic*."""
    for parts in traffic:
        pauses.take()
        for part in parts[:-1]:
            socket.send(part, SNDMORE)
        socket.send(parts[-1])


def receive_message(socket: SocketBase) -> list[bytes]:
    """Receive one whole message."""
    parts = [socket.recv()]
    while socket.more:
        parts.append(socket.recv())
    return parts


def check_all(socket: SocketBase, traffic: Traffic, pauses: Pauses) -> None:
    """Receive exactly the messages of *traffic*."""
    for number, parts in enumerate(traffic):
        pauses.take()
        got = receive_message(socket)
        assert got == parts, f"message {number}: sizes {[*map(len, got)]} for {[*map(len, parts)]}"


def echo(socket: SocketBase, count: int, pauses: Pauses) -> None:
    """Send *count* messages back to where they came from."""
    for _ in range(count):
        parts = receive_message(socket)
        pauses.take()
        for part in parts[:-1]:
            socket.send(part, SNDMORE)
        socket.send(parts[-1])


def write_ring(channel: Channel, traffic: Traffic, limit: int, pauses: Pauses) -> None:
    """Write *traffic* into ring 0 of the pipe segment named in the channel's first message."""
    segment = segments.open_segment(channel.hear(), Kind.PIPE)
    segment.unlink()

    def make_area(capacity: int) -> Segment:
        area = segments.create(Kind.AREA, RECORDS_OFFSET + capacity, token=segment.token)
        segments.publish(area)
        return area

    producer = Producer(segment, 0, limit, make_area)
    for parts in traffic:
        pauses.take()
        while producer.is_full:
            os.sched_yield()
        for part in parts[:-1]:
            assert producer.push(part, MORE) == OK
        assert producer.push(parts[-1]) == OK
        producer.commit()


def main() -> None:
    """Play the part that the arguments name."""
    channel = Channel.inherited()
    what, pattern, *numbers = sys.argv[1:-1]
    seed, count, limit = map(int, numbers)
    pauses = Pauses(seed + 1)
    if what == "ring":
        write_ring(channel, Traffic(seed, count), limit, pauses)
        channel.send("done")
        return
    socket = bare_socket(new_pattern(SocketType(int(pattern))), private=False)
    take_pipe(channel, socket, limit=limit)
    if what == "push":
        send_all(socket, Traffic(seed, count, tagged=True), pauses)
    elif what == "pull":
        check_all(socket, Traffic(seed, count), pauses)
    elif what == "echo":
        echo(socket, count, pauses)
    channel.send(["done", socket.spinner.sleeps])
    assert channel.hear() == "bye"
    socket.board.segment.unlink()


if __name__ == "__main__":
    main()
