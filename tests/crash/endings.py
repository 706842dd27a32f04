"""Ways for a sender to end.

``python -m crash.endings WAY ENDPOINT COUNT SENDER FD`` is a whole program.

Each function sends, says so, and ends the way that its name tells; what comes behind it is the end
of the script, with whatever is still open.
"""

import contextlib
import sys
import threading
import warnings
from typing import Any

from crash.payload import message
from support.channel import Channel
from support.library import Context, Socket, zmq

_kept: list[Any] = []


def _send(socket: Socket) -> None:
    """Connect, send everything, and say so."""
    endpoint, count, sender = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    socket.sndhwm = 0
    socket.connect(endpoint)
    for number in range(count):
        socket.send_multipart(message(sender, number))
    channel = Channel.inherited()
    channel.send("sent")
    _kept.append(channel)


def _opened() -> tuple[Context, Socket]:
    """Open a context and a socket that stay referenced to the end of the script."""
    context = zmq.Context()
    socket = context.socket(zmq.PUSH)
    _kept.extend((context, socket))
    return context, socket


def close() -> None:
    """The socket is closed, the context is not ended."""
    _, socket = _opened()
    _send(socket)
    socket.close()


def close_and_term() -> None:
    """All is done by the book."""
    context, socket = _opened()
    _send(socket)
    socket.close()
    context.term()


def with_blocks() -> None:
    """The usual way to write it."""
    with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
        _send(socket)


def no_close() -> None:
    """Nothing is closed."""
    _, socket = _opened()
    _send(socket)


def shared_instance() -> None:
    """Nothing is closed, and the context is everybody's."""
    socket = zmq.Context.instance().socket(zmq.PUSH)
    _kept.append(socket)
    _send(socket)


def forgotten() -> None:
    """Nothing is closed nor referred to any more, which is warned of and works all the same."""
    warnings.simplefilter("ignore", ResourceWarning)
    context = zmq.Context()
    _send(context.socket(zmq.PUSH))


def sys_exit() -> None:
    """sys.exit with everything open."""
    _, socket = _opened()
    _send(socket)
    sys.exit(0)


def error() -> None:
    """An exception that nobody catches."""
    _, socket = _opened()
    _send(socket)
    with contextlib.suppress(AttributeError):
        sys.stderr.close()  # where it would be reported
    raise SystemExit(1) from LookupError("the program is wrong")


def in_a_thread() -> None:
    """The socket is used and closed in a thread that ends before the script."""
    context = zmq.Context()
    _kept.append(context)

    def work() -> None:
        with context.socket(zmq.PUSH) as socket:
            _send(socket)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


WAYS = (
    close, close_and_term, with_blocks, no_close, shared_instance, forgotten, sys_exit, error,
    in_a_thread,
)  # fmt: skip

if __name__ == "__main__":
    globals()[sys.argv[1]]()
