"""A child process and the channel to it, for processes that share memory: JSON and descriptors.

The child runs a module of tests/ with the number of its end of the channel as the last argument.
When it crashes, the parent sees the end of the channel at once, and the exit code says how.
"""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from support.waiting import PATIENCE_S

_TESTS = Path(__file__).parent.parent
_LARGEST = 1 << 16


class Channel:
    """One end of a socket pair that carries JSON messages with descriptors."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._end.settimeout(PATIENCE_S)

    @classmethod
    def inherited(cls) -> "Channel":
        """Return the child's end."""
        return cls(socket.socket(fileno=int(sys.argv[-1])))

    def send(self, message: Any, *fds: int) -> None:
        """Send *message* and duplicates of *fds*."""
        socket.send_fds(self._end, [json.dumps(message).encode()], list(fds))

    def receive(self) -> tuple[Any, list[int]]:
        """Return the next message and its descriptors; EOFError when the other side has gone."""
        data, fds, _, _ = socket.recv_fds(self._end, _LARGEST, 8)
        if not data:
            raise EOFError("the other process has gone")
        return json.loads(data), fds

    def hear(self) -> Any:
        """Return the next message, which comes without descriptors."""
        message, fds = self.receive()
        assert not fds
        return message

    def close(self) -> None:
        """Close this end."""
        self._end.close()


class ChildProcess:
    """A child that runs *module* with *arguments* during a ``with`` block, and is dead then."""

    def __init__(self, module: str, *arguments: str) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        others = os.environ.get("PYTHONPATH")
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=os.environ | {"PYTHONPATH": f"{_TESTS}{os.pathsep + others if others else ''}"},
            )
        self.channel = Channel(ours)

    @property
    def pid(self) -> int:
        """The process id of the child."""
        return self._process.pid

    def has_ended(self) -> bool:
        """Tell whether the child has ended."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """Kill the child and wait until it is dead."""
        self._process.kill()
        self._process.wait(PATIENCE_S)

    def wait(self) -> int:
        """Wait until the child has ended; return its exit code (negative: what killed it)."""
        return self._process.wait(PATIENCE_S)

    def __enter__(self) -> "ChildProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Hang up, and see to it that the child ends; one that does not by itself is killed."""
        self.channel.close()
        if kind is not None:
            self.kill()
        try:
            self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise
