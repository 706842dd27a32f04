"""Programs with many sockets or few descriptors. ``python -m crash.crowds NAME ARGUMENT… FD``."""

import errno
import fcntl
import logging
import os
import re
import resource
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress

from support.channel import Channel
from support.library import Context, Socket, zmq
from support.waiting import wait_for

_DEFAULT_SOFT_LIMIT = 1024
_FEW = 256
_PATIENCE_MS = 20_000
_LOOK_MS = 2_000


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


class Reports(logging.Handler):
    """What the library reports of the things that go wrong behind the program's back."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        logger = logging.getLogger("shmzmq")
        logger.setLevel(logging.INFO)
        logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a report."""
        self.texts.append(record.getMessage())


def _pair(context: Context, sockets: ExitStack) -> tuple[Socket, Socket]:
    """Open two sockets that are connected, or going to be."""
    pull, push = (sockets.enter_context(context.socket(kind)) for kind in (zmq.PULL, zmq.PUSH))
    pull.bind("ipc://*")
    push.connect(pull.last_endpoint.decode())
    return push, pull


def _works(pair: tuple[Socket, Socket]) -> bool:
    """Tell whether a message gets from one to the other."""
    push, pull = pair
    push.send(b"x")
    if not pull.poll(_LOOK_MS):
        return False
    assert pull.recv() == b"x"
    return True


def _of_descriptors(texts: list[str]) -> list[str]:
    """Return the reports of descriptors that have run out."""
    return [
        text for text in texts if re.search("descriptor|files open|open files", text, re.IGNORECASE)
    ]


def open_until_it_fails(channel: Channel) -> None:
    """Open connected pairs until descriptors run out here or in the worker; go on with fewer."""
    _limit_descriptors(_FEW, _FEW)
    reports = Reports()
    with zmq.Context() as context:
        pairs: list[tuple[Socket, Socket]] = []
        with ExitStack() as sockets:
            try:
                while True:
                    pairs.append(_pair(context, sockets))
                    if not _works(pairs[-1]):
                        # The half of a pair that found room may say first that the other is gone.
                        wait_for(lambda: _of_descriptors(reports.texts), "the report")
                        channel.send(["report", _of_descriptors(reports.texts)[-1]])
                        break
            except zmq.ZMQError as error:
                channel.send(["error", error.errno, str(error)])
            assert all(map(_works, pairs[:20]))
            for push, _ in pairs:
                push.linger = 0
        with ExitStack() as sockets:
            assert _works(_pair(context, sockets))
    channel.send("ended")


def receive_with_few_descriptors(channel: Channel, endpoint: str, count: str) -> None:
    """Receive from more peers than there are descriptors for; some have to wait until others go."""
    _limit_descriptors(_FEW, _FEW)
    reports = Reports()
    received: list[int] = []

    def receive() -> None:
        try:
            received.append(int(pull.recv(zmq.NOBLOCK)))
        except zmq.ZMQError as error:
            if error.errno != errno.EMFILE:
                raise
            reports.texts.append(str(error))

    with zmq.Context() as context, context.socket(zmq.PULL) as pull:
        pull.bind(endpoint)
        channel.send("bound")
        while not reports.texts:
            if pull.poll(_LOOK_MS):
                receive()
        channel.send([len(received), reports.texts[0]])
        while len(received) < int(count):
            assert pull.poll(_PATIENCE_MS), "those who waited are heard when there is room"
            receive()
        channel.send(sorted(received))


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
    with (
        zmq.Context() as context,
        context.socket(zmq.PULL) as pull,
        context.socket(zmq.PUSH) as push,
    ):
        push.rcvtimeo = pull.rcvtimeo = _PATIENCE_MS
        push.linger = 0
        pull.bind("ipc://*")
        push.connect(pull.last_endpoint.decode())
        push.send(b"x")
        while not pull.poll(20):
            push.poll(0)  # whose side may be the one that lacks something
        assert pull.recv() == b"x"


def _take_all_descriptors() -> list[int]:
    """Leave no descriptor free; return those that were."""
    taken: list[int] = []
    with suppress(OSError):
        while True:
            taken.append(os.dup(0))
    return taken


def connect_with_one_descriptor(channel: Channel, endpoint: str) -> None:
    """Connect and send with one descriptor free; when that has failed, free others and send on."""
    _limit_descriptors(_FEW, _FEW)
    failures: list[list[object]] = []

    def fails(attempt: Callable[[], object]) -> bool:
        try:
            attempt()
        except zmq.ZMQError as error:
            if error.errno != errno.EMFILE:
                raise
            failures.append([error.errno, str(error)])
            return True
        return False

    def send(data: bytes) -> None:
        while fails(lambda: push.send(data)):
            pass  # nothing was sent then

    with zmq.Context() as context, ExitStack() as sockets:
        assert _works(_pair(context, sockets))  # all that is done once is done
        push = sockets.enter_context(context.socket(zmq.PUSH))
        taken = _take_all_descriptors()
        os.close(taken.pop())
        push.connect(endpoint)
        send(b"before")
        wait_for(lambda: failures or fails(lambda: push.poll(0)), "there are too few descriptors")
        send(b"meanwhile")
        channel.send(failures[0])
        channel.hear()
        while taken:
            os.close(taken.pop())
        send(b"afterwards")
        channel.hear()


def start_with_few_descriptors(channel: Channel) -> None:
    """Try everything with no descriptor to spare, with one, and so on until it works."""
    _limit_descriptors(_FEW, _FEW)
    taken = _take_all_descriptors()
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
    channel.send([reports, _descriptors() - before])


if __name__ == "__main__":
    globals()[sys.argv[1]](Channel.inherited(), *sys.argv[2:-1])
