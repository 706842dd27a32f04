"""Starts I/O worker processes, and sees them end."""

from __future__ import annotations

import errno
import os
import socket
import sys
from typing import IO, TYPE_CHECKING, Final

from ..errors import ZMQError

if TYPE_CHECKING:
    import subprocess

_ENDING_S: Final = 5


def start() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """Start a worker process; return it and our end of its stream. Raises ZMQError."""
    try:
        return _start_process()
    except OSError as error:
        raise ZMQError(
            error.errno or errno.EIO, f"cannot start an I/O worker process: {error}"
        ) from error


def _start_process() -> tuple[subprocess.Popen[bytes], socket.socket]:
    import subprocess

    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        with far, _open_log() as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "shmzmq.workers", str(far.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                pass_fds=(far.fileno(),),
                start_new_session=True,
                env=_environment(),
            )
    except BaseException:
        near.close()
        raise
    near.setblocking(False)
    return process, near


def _open_log() -> IO[bytes]:
    """Open where a worker's stderr goes: nowhere, or the file named by SHMZMQ_WORKER_LOG."""
    path = os.environ.get("SHMZMQ_WORKER_LOG") or os.devnull
    return open(path, "ab", opener=lambda name, flags: os.open(name, flags, 0o600))


def _environment() -> dict[str, str]:
    # The worker imports the shmzmq that this process uses, however it came to be importable here.
    environment = dict(os.environ)
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    known = environment.get("PYTHONPATH")
    if not any(os.path.samefile(root, path) for path in _site_paths() if os.path.isdir(path)):
        environment["PYTHONPATH"] = f"{root}{os.pathsep}{known}" if known else root
    return environment


def _site_paths() -> list[str]:
    return [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]


def await_end(process: subprocess.Popen[bytes]) -> None:
    """Wait until a worker has ended whose stream is closed; one that does not is killed."""
    import subprocess

    try:
        process.wait(_ENDING_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
