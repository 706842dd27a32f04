"""Attempts to connect: every way in which one can end, and that it ends once."""

import errno
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from shmzmq.transports.interface import Dialling, Options
from shmzmq.transports.ipc import IpcTransport
from shmzmq.transports.tcp import TcpTransport

from shmzmq.workers.attempt import Attempt
from shmzmq.workers.exchange import Exchange
from shmzmq.workers.lookup import Lookups
from shmzmq.workers.reactor import Reactor

PATIENCE_S = 20.0


class Bench:
    """A reactor, one attempt in it, and how that ended."""

    def __init__(self, transport: Any) -> None:
        self.reactor = Reactor()
        self.endings: list[OSError | tuple[socket.socket, str]] = []
        self.attempt = Attempt(
            self.reactor,
            Lookups(self.reactor),
            transport,
            lambda stream, peer: self._end((stream, peer)),
            self._end,
        )

    def _end(self, ending: OSError | tuple[socket.socket, str]) -> None:
        self.endings.append(ending)
        self.reactor.stop()

    def run(self) -> None:
        """Let the reactor run until the attempt has ended."""
        late = self.reactor.call_later(PATIENCE_S, self.reactor.stop)
        if not self.endings:
            self.reactor.run(Exchange(self.reactor), lambda: None)
        late.cancel()

    def outlive(self, limit_ms: int) -> None:
        """Let the reactor run until all timers of so many ms have come that were set before."""
        self.reactor.call_later(limit_ms / 1000, self.reactor.stop)
        self.reactor.run(Exchange(self.reactor), lambda: None)

    def failure(self) -> OSError:
        """Return how the attempt failed."""
        self.run()
        (error,) = self.endings
        assert isinstance(error, OSError), error
        return error

    def success(self, open_files: ExitStack) -> tuple[socket.socket, str]:
        """Return the connected socket and the peer's address."""
        self.run()
        (found,) = self.endings
        assert isinstance(found, tuple), found
        open_files.enter_context(found[0])
        return found


@pytest.fixture
def open_files() -> Iterator[ExitStack]:
    """Closes what it is given when the test ends."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def server(open_files: ExitStack) -> socket.socket:
    """A listening socket on loopback."""
    listener = open_files.enter_context(socket.create_server(("127.0.0.1", 0)))
    listener.settimeout(PATIENCE_S)
    return listener


def address_of(listener: socket.socket, host: str = "127.0.0.1") -> str:
    return f"{host}:{listener.getsockname()[1]}"


def accept(open_files: ExitStack, listener: socket.socket) -> socket.socket:
    stream = open_files.enter_context(listener.accept()[0])
    stream.settimeout(PATIENCE_S)
    return stream


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_somebody_is_there(open_files: ExitStack, server: socket.socket, host: str) -> None:
    bench = Bench(TcpTransport())
    bench.attempt.start(address_of(server, host), {})
    stream, peer = bench.success(open_files)
    assert peer == "127.0.0.1"
    assert accept(open_files, server).getpeername() == stream.getsockname()


def test_a_unix_socket_answers_at_once(open_files: ExitStack, tmp_path: Any) -> None:
    listener = open_files.enter_context(socket.socket(socket.AF_UNIX))
    listener.bind(f"{tmp_path}/s")
    listener.listen()
    bench = Bench(IpcTransport())
    bench.attempt.start(f"{tmp_path}/s", {})
    assert len(bench.endings) == 1
    bench.success(open_files)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_nobody_is_there(server: socket.socket, host: str) -> None:
    address = address_of(server, host)
    server.close()
    bench = Bench(TcpTransport())
    bench.attempt.start(address, {})
    assert bench.failure().errno == errno.ECONNREFUSED


def test_a_name_that_nobody_knows() -> None:
    bench = Bench(TcpTransport())
    bench.attempt.start("nosuch.invalid:5555", {})
    assert bench.failure().errno == errno.EHOSTUNREACH


@pytest.fixture
def deaf(open_files: ExitStack) -> socket.socket:
    """A listener whose queue is full: the system answers nobody who knocks."""
    listener = open_files.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    for _ in range(4):
        knock = open_files.enter_context(socket.socket())
        knock.setblocking(False)
        knock.connect_ex(listener.getsockname())
    return listener


def test_connect_timeout(deaf: socket.socket) -> None:
    bench = Bench(TcpTransport())
    bench.attempt.start(address_of(deaf), {"CONNECT_TIMEOUT": 30})
    error = bench.failure()
    assert error.errno == errno.ETIMEDOUT
    assert "within 30 ms" in str(error)


def test_connect_timeout_is_over_with_the_attempt(
    open_files: ExitStack, server: socket.socket
) -> None:
    bench = Bench(TcpTransport())
    bench.attempt.start(address_of(server), {"CONNECT_TIMEOUT": 30})
    stream, _ = bench.success(open_files)
    bench.outlive(30)
    assert len(bench.endings) == 1
    assert stream.fileno() >= 0


def test_closing_while_it_waits(deaf: socket.socket) -> None:
    bench = Bench(TcpTransport())
    bench.attempt.start(address_of(deaf), {"CONNECT_TIMEOUT": 30})
    bench.attempt.close()
    bench.outlive(30)
    assert bench.endings == []


class SlowNames(TcpTransport):
    """Looks names up when it is told to."""

    def __init__(self) -> None:
        self.answer = threading.Event()

    def lookup(
        self, address: str, options: Options, *, binding: bool
    ) -> Callable[[], Dialling] | None:
        """Wait for `answer`."""

        def seek() -> Dialling:
            assert self.answer.wait(PATIENCE_S)
            return address, options

        return seek


def test_connect_timeout_counts_looking_up(server: socket.socket) -> None:
    transport = SlowNames()
    bench = Bench(transport)
    bench.attempt.start(address_of(server), {"CONNECT_TIMEOUT": 30})
    assert bench.failure().errno == errno.ETIMEDOUT
    transport.answer.set()  # too late: nobody is dialled any more
    bench.outlive(30)
    assert len(bench.endings) == 1
    server.setblocking(False)
    with pytest.raises(BlockingIOError):
        server.accept()


# -- through a proxy -------------------------------------------------------------------------------

REQUEST = b"\x05\x01\x00\x01" + bytes([127, 0, 0, 1]) + b"\x00\x05"
CONNECTED = b"\x05\x00\x00\x01" + bytes(6)


def through(proxy: socket.socket, **options: Any) -> Bench:
    """Return a bench whose attempt goes through *proxy*."""
    bench = Bench(TcpTransport())
    bench.attempt.start("127.0.0.1:5", {"SOCKS_PROXY": address_of(proxy).encode(), **options})
    return bench


def converse(proxy: socket.socket, answers: list[tuple[int, bytes]]) -> None:
    """Be the proxy: wait for so many octets, say this, and again."""
    with proxy.accept()[0] as stream:
        stream.settimeout(PATIENCE_S)
        for size, answer in answers:
            assert len(stream.recv(size, socket.MSG_WAITALL)) == size
            for octet in answer:
                stream.sendall(bytes([octet]))
        assert stream.recv(1) == b""


def test_a_proxy_connects_us(open_files: ExitStack, server: socket.socket) -> None:
    # What the far end says first comes right behind the proxy's last octet, and is for the session.
    answers = [(3, b"\x05\x00"), (len(REQUEST), CONNECTED + b"far end")]
    proxy = threading.Thread(target=converse, args=(server, answers))
    proxy.start()
    stream, peer = through(server).success(open_files)
    assert peer == "127.0.0.1"  # the proxy's address, as in libzmq
    stream.setblocking(True)
    stream.settimeout(PATIENCE_S)
    assert stream.recv(7, socket.MSG_WAITALL) == b"far end"
    stream.close()
    proxy.join(PATIENCE_S)
    assert not proxy.is_alive()


def test_a_proxy_refuses(server: socket.socket) -> None:
    answers = [(3, b"\x05\x00"), (len(REQUEST), b"\x05\x05\x00\x01")]
    proxy = threading.Thread(target=converse, args=(server, answers))
    proxy.start()
    error = through(server).failure()
    assert error.errno == errno.ECONNREFUSED
    assert "127.0.0.1:5" in str(error)
    proxy.join(PATIENCE_S)
    assert not proxy.is_alive()


def test_a_proxy_hangs_up(open_files: ExitStack, server: socket.socket) -> None:
    bench = through(server)
    accept(open_files, server).close()
    assert bench.failure().errno == errno.ECONNRESET


@pytest.mark.parametrize("limit", ["HANDSHAKE_IVL", "CONNECT_TIMEOUT"])
def test_a_silent_proxy(open_files: ExitStack, server: socket.socket, limit: str) -> None:
    bench = through(server, **{limit: 30})
    assert accept(open_files, server).recv(3, socket.MSG_WAITALL) == b"\x05\x01\x00"
    assert bench.failure().errno == errno.ETIMEDOUT
