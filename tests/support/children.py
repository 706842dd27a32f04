"""Child processes that run one of the functions of support.programs and report line by line."""

import os
import select
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from support.waiting import PATIENCE_S

_TESTS = Path(__file__).parent.parent


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module below tests/ with this Python, unbuffered."""
    return [sys.executable, "-u", "-m", module, *arguments]


def python_environment() -> dict[str, str]:
    """Return our environment with tests/ on the path."""
    others = os.environ.get("PYTHONPATH")
    return os.environ | {"PYTHONPATH": f"{_TESTS}{os.pathsep + others if others else ''}"}


class Child:
    """A child process that runs support.programs.<name>(*arguments) during a ``with`` block."""

    def __init__(self, name: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            python_command("support.programs", name, *arguments),
            env=python_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        self._out = self._process.stdout
        self._in = self._process.stdin
        self._read = bytearray()

    @property
    def pid(self) -> int:
        """The process id of the child."""
        return self._process.pid

    def line(self) -> str:
        """Return the next line that the child prints; EOFError if it ends without one."""
        while b"\n" not in self._read:
            if not select.select([self._out], [], [], PATIENCE_S)[0]:
                raise TimeoutError(f"the child said only {bytes(self._read)!r}")
            more = os.read(self._out.fileno(), 65536)
            if not more:
                raise EOFError(f"the child ended after {bytes(self._read)!r}")
            self._read += more
        line, _, rest = self._read.partition(b"\n")
        self._read = rest
        return line.decode()

    def expect(self, *lines: str) -> None:
        """Check that the child prints these lines next."""
        for line in lines:
            assert self.line() == line

    def tell(self, line: str) -> None:
        """Write a line to the child's standard input."""
        self._in.write(line.encode() + b"\n")
        self._in.flush()

    def signal(self, number: int) -> None:
        """Send the child a signal."""
        self._process.send_signal(number)

    def wait(self) -> int:
        """Wait until the child has ended; return its exit code (negative: the signal)."""
        return self._process.wait(PATIENCE_S)

    def __enter__(self) -> "Child":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the child if it still runs, so that a failing test leaves none behind."""
        if self._process.poll() is None and kind is not None:
            self._process.kill()
        self._in.close()
        self._out.close()
        self._process.wait(PATIENCE_S)
