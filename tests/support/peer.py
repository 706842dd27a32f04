"""The far end in a process of its own: runs as a child, opens sockets and calls them as it is told.

Started with ``python -m support.peer``. Requests come on standard input and answers go to standard
output, as pickles framed by multiprocessing.connection; the first answer is "ready".
"""

import os
import signal
from multiprocessing.connection import Connection
from typing import Any

from support.factory import SocketFactory
from support.library import Socket, zmq

# What an answer may carry; anything else (the context manager that bind() returns) is answered with
# None.
_PLAIN = (bytes, int, str, list, tuple, dict)


class Peer:
    """Serves one request after the other; the sockets belong to a context that `reset` replaces."""

    def __init__(self) -> None:
        self._sockets: dict[int, Socket] = {}
        self._factory = SocketFactory(zmq.Context())

    def open(self, socket_type: int, options: dict[str, Any]) -> int:
        """Open a socket and return the number it will be called by."""
        number = len(self._sockets)
        self._sockets[number] = self._factory.open(socket_type, **options)
        return number

    def call(self, number: int, method: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Call a method of a socket and return what it returned, if that is plain data."""
        result = getattr(self._sockets[number], method)(*args, **kwargs)
        return result if isinstance(result, _PLAIN) else None

    def reset(self) -> None:
        """End the context with everything in it, and begin a new one."""
        self.end()
        self._sockets.clear()
        self._factory = SocketFactory(zmq.Context())

    def end(self) -> None:
        """End the context with everything in it."""
        self._factory.close()
        self._factory.context.destroy(linger=0)


def answer(peer: Peer, request: tuple[str, list[Any]]) -> tuple[str, Any]:
    """Do what a request says; an exception is answered with its class, errno and text."""
    name, arguments = request
    try:
        return "done", getattr(peer, name)(*arguments)
    except Exception as error:
        return "failed", (type(error).__name__, getattr(error, "errno", None), str(error))


def main() -> None:
    """Serve requests until standard input ends."""
    # Ctrl-C on the terminal is for pytest, which then closes our standard input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests = Connection(os.dup(0), writable=False)
    answers = Connection(os.dup(1), readable=False)
    # Whatever the library prints must not get between the answers.
    os.dup2(2, 1)
    peer = Peer()
    answers.send(("done", "ready"))
    try:
        while True:
            answers.send(answer(peer, requests.recv()))
    except EOFError:
        peer.end()


if __name__ == "__main__":
    main()
