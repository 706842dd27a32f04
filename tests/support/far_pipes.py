"""Pipes between two processes, laid over a channel: names, bits and doorbells."""

import os

from shmzmq.pipe import Pipe
from shmzmq.pipe_segment import create_pipe_segment
from shmzmq.shm import segment as segments
from shmzmq.shm.board import open_board
from shmzmq.shm.layout import Kind
from shmzmq.socket_base import SocketBase
from support.channel import Channel


def offer_pipe(channel: Channel, socket: SocketBase, *, limit: int = 0, ring: int = 16384) -> Pipe:
    """Make a pipe, hand it over, and return our end (side 0), which *socket* holds."""
    segment = create_pipe_segment(outbound=ring, inbound=ring, token=os.urandom(16))
    pipe = Pipe(segment, 0, socket.board, socket.board.allocate(), limit)
    socket.hold_pipe(pipe)
    _send_end(channel, socket, pipe, segment.name)
    _take_far_end(channel, pipe, limit)
    segment.unlink()
    socket.pattern.attach(pipe)
    channel.send("go")
    return pipe


def take_pipe(channel: Channel, socket: SocketBase, *, limit: int = 0) -> Pipe:
    """Take a pipe that the other process offers, and return our end (side 1)."""
    (board, bit, name), fds = channel.receive()
    segment = segments.open_segment(name, Kind.PIPE)
    pipe = Pipe(segment, 1, socket.board, socket.board.allocate(), limit)
    socket.hold_pipe(pipe)
    _send_end(channel, socket, pipe, "")
    _join(pipe, board, bit, fds, limit)
    assert channel.hear() == "go"
    socket.pattern.attach(pipe)
    return pipe


def _send_end(channel: Channel, socket: SocketBase, pipe: Pipe, name: str) -> None:
    channel.send([socket.board.name, pipe.bit, name], socket.board.doorbell.fileno())


def _take_far_end(channel: Channel, pipe: Pipe, limit: int) -> None:
    (board, bit, _), fds = channel.receive()
    _join(pipe, board, bit, fds, limit)


def _join(pipe: Pipe, board: str, bit: int, fds: list[int], limit: int) -> None:
    pipe.set_limits(limit, limit)
    pipe.attach(open_board(board, fds[0]), bit)
