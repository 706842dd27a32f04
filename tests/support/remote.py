"""The near side of support.peer: starts that process and makes its sockets look like local ones."""

import builtins
import contextlib
import os
import subprocess
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from support.children import python_command, python_environment
from support.library import LIBRARY_NAME, zmq
from support.waiting import PATIENCE_S


class PeerProcess:
    """A child process that opens sockets for us and does with them what it is told.

    They are sockets of *library*: the one under test, unless it says otherwise.
    """

    def __init__(self, library: str = LIBRARY_NAME) -> None:
        self._library = library
        self._owes_answer = False
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            python_command("support.peer"),
            env=python_environment() | {"SHMZMQ_TEST_LIBRARY": self._library},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # Connection owns its descriptor, and so does the file object; hence each gets one.
        self._requests = Connection(os.dup(self._process.stdin.fileno()), readable=False)
        self._answers = Connection(os.dup(self._process.stdout.fileno()), writable=False)
        self._process.stdin.close()
        self._process.stdout.close()
        self._owes_answer = True
        assert self.answer() == "ready"

    @property
    def pid(self) -> int:
        """The process id of the child."""
        return self._process.pid

    def request(self, name: str, *arguments: Any) -> None:
        """Tell the child to do something; its answer is to be fetched with `answer`."""
        assert not self._owes_answer, "the last call in the peer process has not ended"
        self._requests.send((name, arguments))
        self._owes_answer = True

    def answer(self) -> Any:
        """Return the result of the last request, or raise what it raised in the child."""
        if not self._answers.poll(2 * PATIENCE_S):
            raise TimeoutError("the peer process does not answer")
        kind, value = self._answers.recv()
        self._owes_answer = False
        if kind == "failed":
            raise _rebuilt(*value)
        return value

    def open(self, socket_type: int, **options: Any) -> "RemoteSocket":
        """Open a socket in the child; takes what SocketFactory.open takes."""
        self.request("open", int(socket_type), options)
        return RemoteSocket(self, self.answer())

    def reset(self) -> None:
        """End the child's context; a child that cannot any more is replaced."""
        try:
            if self._owes_answer:  # a test that failed did not fetch it
                with contextlib.suppress(zmq.ZMQError):
                    self.answer()
            self.request("reset")
            self.answer()
        except (OSError, EOFError, TimeoutError):
            self._process.kill()
            self.stop()
            self._start()
            raise

    def stop(self) -> None:
        """End the child and wait until it is gone."""
        self._requests.close()
        self._answers.close()
        self._process.wait(PATIENCE_S)


class RemoteSocket:
    """A socket in the peer process. Every method is called there; results are plain data."""

    def __init__(self, process: PeerProcess, number: int) -> None:
        self._process = process
        self._number = number

    def begin(self, method: str, *args: Any, **kwargs: Any) -> Callable[[], Any]:
        """Start a call that may block, and return what waits for its end and returns its result.

        Nothing else may be asked of the peer process before that.
        """
        self._process.request("call", self._number, method, args, kwargs)
        return self._process.answer

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """Return a function that calls this method of the socket in the peer process."""

        def call(*args: Any, **kwargs: Any) -> Any:
            return self.begin(method, *args, **kwargs)()

        return call


def _rebuilt(name: str, errno: int | None, text: str) -> Exception:
    """Return an exception of the class that was raised in the child."""
    kind: Any = getattr(zmq, name, None) or getattr(builtins, name, RuntimeError)
    if kind is zmq.ZMQError:
        error: Exception = zmq.ZMQError(errno, text)
    else:
        error = kind() if issubclass(kind, zmq.ZMQError) else kind(text)
    return error
