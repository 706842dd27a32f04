"""Programs with many sockets or few descriptors. ``python -m crash.crowds NAME ARGUMENT… FD``."""

import fcntl
import os
import resource
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress

from support.channel import Channel
from support.library import zmq

_DEFAULT_SOFT_LIMIT = 1024
_FEW = 256
_PATIENCE_MS = 20_000


def _limit_descriptors(soft: int, hard: int | None = None) -> None:
    """Set the limits of this process, which its worker inherits."""
    if hard is None:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def send_one_each(channel: Channel, endpoint: str, count: str) -> None:
    """Connect many PUSH sockets of one context, and send a message through each."""
    _limit_descriptors(_DEFAULT_SOFT_LIMIT)
    with zmq.Context() as context, ExitStack() as sockets:
        for number in range(int(count)):
            socket = sockets.enter_context(context.socket(zmq.PUSH))
            socket.connect(endpoint)
            socket.send(b"%d" % number)
        channel.send("sent")
        channel.hear()


def receive_from_all(channel: Channel, endpoint: str, count: str) -> None:
    """Receive one message from each of many peers."""
    _limit_descriptors(_DEFAULT_SOFT_LIMIT)
    with zmq.Context() as context, context.socket(zmq.PULL) as pull:
        pull.rcvtimeo = _PATIENCE_MS
        pull.bind(endpoint)
        channel.send("bound")
        channel.send(sorted(int(pull.recv()) for _ in range(int(count))))
        channel.hear()


def receive_with_few_descriptors(channel: Channel, endpoint: str, count: str) -> None:
    """Receive from more peers than there are descriptors; say which errors were raised meanwhile."""
    _limit_descriptors(_FEW, _FEW)
    received = []
    errors = set()
    with zmq.Context() as context, context.socket(zmq.PULL) as pull:
        pull.rcvtimeo = _PATIENCE_MS
        pull.bind(endpoint)
        channel.send("bound")
        while len(received) < int(count):
            try:
                received.append(int(pull.recv()))
            except zmq.ZMQError as error:
                if not isinstance(error, zmq.Again) and error.errno == zmq.EMFILE:
                    errors.add(str(error))
                    continue
                raise
            if len(received) == 200:
                channel.send("200 received")
        channel.send([sorted(received), sorted(errors)])
        channel.hear()


def open_until_it_fails(channel: Channel) -> None:
    """Open connected sockets until there is no descriptor left; what works then still works."""
    _limit_descriptors(_FEW, _FEW)
    with zmq.Context() as context, ExitStack() as sockets:
        pull = sockets.enter_context(context.socket(zmq.PULL))
        pull.bind("ipc://*")
        endpoint = pull.last_endpoint.decode()
        pushes = []
        while True:
            try:
                push = sockets.enter_context(context.socket(zmq.PUSH))
                pushes.append(push)
                push.connect(endpoint)
                push.send(b"x")
                pull.recv()
            except zmq.ZMQError as error:
                channel.send([error.errno, str(error)])
                break
        for push in pushes[:10]:
            push.send(b"still")
            assert pull.recv() == b"still"
        for push in pushes[10:]:
            push.close(linger=0)
        push = sockets.enter_context(context.socket(zmq.PUSH))
        push.connect(endpoint)
        push.send(b"again")
        assert pull.recv() == b"again"
    channel.send("ended")


def _descriptors() -> int:
    """Count the open descriptors, which must not take one."""
    count = 0
    for fd in range(_FEW):
        with suppress(OSError):
            fcntl.fcntl(fd, fcntl.F_GETFD)
            count += 1
    return count


def _talk() -> None:
    """Do everything that takes descriptors, once."""
    with zmq.Context() as context, context.socket(zmq.PULL) as pull:
        with context.socket(zmq.PUSH) as push:
            push.rcvtimeo = pull.rcvtimeo = _PATIENCE_MS
            pull.bind("ipc://*")
            push.connect(pull.last_endpoint.decode())
            push.send(b"x")
            assert pull.recv() == b"x"
            push.linger = 0


def start_with_few_descriptors(channel: Channel) -> None:
    """Try everything with no descriptor to spare, with one, and so on until it works."""
    _limit_descriptors(_FEW, _FEW)
    taken: list[int] = []
    with suppress(OSError):
        while True:
            taken.append(os.dup(0))
    before = _descriptors()
    reports: list[list[object]] = []
    while True:
        os.close(taken.pop())
        before -= 1
        try:
            _talk()
        except zmq.ZMQError as error:
            reports.append([error.errno, str(error), _descriptors() - before])
        else:
            break
    channel.send(reports)


PROGRAMS: tuple[Callable[..., None], ...] = (
    send_one_each, receive_from_all, receive_with_few_descriptors, open_until_it_fails,
    start_with_few_descriptors,
)  # fmt: skip

if __name__ == "__main__":
    globals()[sys.argv[1]](Channel.inherited(), *sys.argv[2:-1])
