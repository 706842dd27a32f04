"""Debian's own libzmq (4.3.4) and python3-zmq at the far end, run by Debian's own Python."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from interop.test_libzmq import SIZES, body
from support.factory import SocketFactory
from support.waiting import wait_for

import shmzmq as zmq

PYTHON = "/usr/bin/python3"
ECHO = Path(__file__).with_name("echo.py")
ENDPOINTS = {"ipc": "ipc://*", "tcp": "tcp://127.0.0.1:*", "tcp6": "tcp://[::1]:*"}


def _version() -> str:
    command = [PYTHON, "-c", "import zmq; print(zmq.zmq_version())"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


pytestmark = pytest.mark.skipif(not _version(), reason="Debian's python3-zmq is not installed")


@contextmanager
def echo(kind: str, how: str, endpoint: str, back: str) -> Iterator[str]:
    """Run echo.py; the value is its endpoint."""
    command = [PYTHON, str(ECHO), kind, how, endpoint, back]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()
        assert process.wait() == 0


@pytest.mark.parametrize("transport", ENDPOINTS)
@pytest.mark.parametrize("how", ["bind", "connect"])
@pytest.mark.parametrize(
    ("near_type", "far_type"),
    [
        (zmq.PAIR, "PAIR"),
        (zmq.REQ, "REP"),
        (zmq.DEALER, "REP"),
        (zmq.REQ, "ROUTER"),
        (zmq.DEALER, "ROUTER"),
        (zmq.DEALER, "DEALER"),
        (zmq.PUSH, "PULL"),
        (zmq.PULL, "PUSH"),
        (zmq.PUB, "SUB"),
        (zmq.XPUB, "XSUB"),
        (zmq.SUB, "PUB"),
        (zmq.XSUB, "XPUB"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_what_is_sent_comes_back(
    sockets: SocketFactory, near_type: int, far_type: str, how: str, transport: str
) -> None:
    near = sockets.open(near_type, ipv6=1)
    back = sockets.open(zmq.PAIR, bind="tcp://127.0.0.1:*")
    endpoint = ENDPOINTS[transport]
    if how == "connect":
        near.bind(endpoint)
        endpoint = near.last_endpoint.decode()
    with echo(far_type, how, endpoint, back.last_endpoint.decode()) as bound:
        if how == "bind":
            near.connect(bound)
        if near_type == zmq.SUB:
            near.subscribe(b"")
        elif near_type == zmq.XSUB:
            near.send(b"\x01")
        source = back if far_type in ("PUSH", "PUB", "XPUB") else near
        target = back if far_type in ("PULL", "SUB", "XSUB") else near
        if near_type in (zmq.PUB, zmq.XPUB, zmq.SUB, zmq.XSUB):
            _settle(source, target)
        delimiter = [b""] if near_type == zmq.DEALER and far_type == "REP" else []
        for size in SIZES:
            message = [*delimiter, body(size), b"", body(size)]
            source.send_multipart(message)
            assert target.recv_multipart() == message


def _settle(source: zmq.Socket, target: zmq.Socket) -> None:
    """Send until something comes: the subscription is there. Then take what is on the way."""

    def comes() -> int:
        source.send(b"settle")
        return target.poll(10)

    wait_for(comes, "the subscription arrives")
    source.send(b"settled")
    while target.recv() != b"settled":
        pass
