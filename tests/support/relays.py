"""A worker's relay by itself: an application's socket, the pipe, and a stream to a test."""

import socket
from dataclasses import dataclass

from shmzmq.patterns.dealer import Dealer
from shmzmq.pipe import Pipe
from shmzmq.socket_base import SocketBase
from shmzmq.workers.receiving import Receiving
from shmzmq.workers.sending import Sending
from shmzmq.zmtp.codec import FrameCodec
from support.pipe_ends import Held
from support.pipes import bare_socket, connect


@dataclass
class Relay:
    """An application's socket, the worker's end of its pipe, and a stream."""

    application: SocketBase
    pipe: Pipe
    near: socket.socket  # the worker's
    far: socket.socket  # the peer's

    def sending(self, *, framing: str = "2.0", commands: bool = False) -> Sending:
        """Return what writes to the stream."""
        return Sending(self.pipe, self.near.fileno(), FrameCodec(framing), commands)

    def receiving(
        self,
        *,
        framing: str = "2.0",
        subscriptions: bool = False,
        rest: bytes = b"",
        limit: int = -1,
    ) -> Receiving:
        """Return what reads from the stream."""
        codec = FrameCodec(framing, limit, limit)
        return Receiving(self.pipe, self.near.fileno(), codec, subscriptions, rest)

    def hear(self) -> bytes:
        """Return what lies in the stream for the peer."""
        heard = bytearray()
        while True:
            try:
                heard += self.far.recv(1 << 20)
            except BlockingIOError:
                return bytes(heard)

    def unread(self) -> int:
        """Return how many messages of the application the worker has not given back."""
        return self.far_pipe.backlog

    far_pipe: Pipe  # the application's end


def make_relay(held: Held, pattern: object, limit: int = 0) -> Relay:
    """Lay a pipe between a socket of *pattern* and the worker, and a stream beside it."""
    application, worker = bare_socket(pattern), bare_socket(Dealer())
    # Not private: within a process payloads would go by reference, which a worker never does.
    end, pipe = connect(application, worker, limit=limit, private=False)
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    held.extend((application, worker, end, pipe))
    return Relay(application, pipe, near, far, end)
