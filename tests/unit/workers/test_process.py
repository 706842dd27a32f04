"""The worker process when something else goes wrong: its application, or a transport."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from shmzmq.transports import registry
from shmzmq.transports.interface import Dialling, Listener, Options
from shmzmq.transports.tcp import TcpTransport
from support.factory import SocketFactory
from support.library import zmq
from support.waiting import PATIENCE_S, Background, wait_for
from support.worker_threads import SOCKET, BareApplication

from shmzmq.errors import ZMQError
from shmzmq.workers.commands import (
    Bind,
    Bound,
    Connect,
    Monitor,
    MonitorEvent,
    Refused,
    Unbind,
    Unbound,
)

ENDPOINT = 7


def test_nothing_stays_when_the_application_goes(
    application: BareApplication, tmp_path: Path
) -> None:
    application.say(Monitor(SOCKET, int(zmq.EVENT_ALL)))
    paths = [tmp_path / name for name in ("a", "b", "c")]
    for number, path in enumerate(paths):
        application.say(Bind(number, SOCKET, "ipc", str(path), {}, "PULL"))
        assert application.hear(Bound).errno == 0
        assert path.is_socket()
    application.stream.close()  # each of them has something to say to the monitor yet
    application.thread.wait()
    assert application.thread.failure is None
    assert [path for path in paths if path.exists()] == []


class Faulty(TcpTransport):
    """Fails in one of its slots, with an error that is not what it promises."""

    scheme = "faulty"

    def __init__(self, slot: str, error: Exception) -> None:
        self._slot = slot
        self._error = error

    def _fail(self, slot: str) -> None:
        if slot == self._slot:
            raise self._error

    def lookup(
        self, address: str, options: Options, *, binding: bool
    ) -> Callable[[], Dialling] | None:
        """Fail at once, or when it is called."""
        self._fail("lookup")
        if self._slot != "looking up":
            return None

        def seek() -> Dialling:
            self._fail("looking up")
            return address, options

        return seek

    def listen(self, address: str, options: Options) -> Listener:
        """Fail."""
        self._fail("listen")
        return super().listen(address, options)

    def adopt(self, stream: Any, options: Options) -> Listener:
        """Fail."""
        self._fail("adopt")
        return super().adopt(stream, options)

    def dial(self, address: str, options: Options) -> Any:
        """Fail."""
        self._fail("dial")
        return super().dial(address, options)


ERRORS = [ZMQError(19, "no such card"), KeyError("slip")]


@pytest.fixture
def faulty() -> Iterator[Callable[[str, Exception], None]]:
    """Makes faulty:// fail in the given slot."""
    yield lambda slot, error: registry.register(Faulty(slot, error))
    registry._loaded.pop("faulty", None)


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("slot", ["lookup", "looking up", "listen", "adopt"])
def test_a_transport_that_fails_to_listen(
    application: BareApplication, faulty: Any, slot: str, error: Exception
) -> None:
    faulty(slot, error)
    given = {"USE_FD": 0} if slot == "adopt" else {}
    fds = [socket.create_server(("127.0.0.1", 0)).detach()] if slot == "adopt" else []
    application.say(Bind(ENDPOINT, SOCKET, "faulty", "127.0.0.1:1", given, "PULL"), *fds)
    answer = application.hear(Bound)
    assert (answer.endpoint, answer.errno) == (ENDPOINT, getattr(error, "errno", 5))
    assert str(error) in answer.text
    application.say(Bind(8, SOCKET, "tcp", "127.0.0.1:0", {}, "PULL"))
    assert application.hear(Bound)[:2] == (8, 0)


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("slot", ["lookup", "looking up", "dial"])
def test_a_transport_that_fails_to_dial(
    application: BareApplication, faulty: Any, slot: str, error: Exception
) -> None:
    faulty(slot, error)
    application.say(connect("faulty"))
    refusal = application.hear(Refused)
    assert refusal.endpoint == ENDPOINT
    assert str(error) in refusal.reason
    application.say(Bind(8, SOCKET, "tcp", "127.0.0.1:0", {}, "PULL"))
    assert application.hear(Bound)[:2] == (8, 0)


def connect(scheme: str) -> Connect:
    """Return the command to dial with a pipe that nobody will get to see."""
    address = "127.0.0.1:1"
    return Connect(
        ENDPOINT, SOCKET, scheme, address, {}, "PUSH", bytes(16), "/none", 0, resumes=True
    )


def test_the_monitor_hears_that_it_failed(application: BareApplication, faulty: Any) -> None:
    faulty("listen", ZMQError(19, "no such card"))
    application.say(Monitor(SOCKET, int(zmq.EVENT_ALL)))
    application.say(Bind(ENDPOINT, SOCKET, "faulty", "127.0.0.1:1", {}, "PULL"))
    event = application.hear(MonitorEvent)
    assert (event.event, event.value) == (zmq.EVENT_BIND_FAILED, 19)


class OnlyHere(TcpTransport):
    """A transport that only the application's process knows."""

    scheme = "only-here"


def test_a_scheme_that_no_worker_knows(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "shmzmq")
    registry.register(OnlyHere())
    context = zmq.Context()
    sockets = SocketFactory(context)
    try:
        with pytest.raises(ZMQError, match="no transport only-here://") as caught:
            sockets.open(zmq.PULL, bind="only-here://127.0.0.1:1")
        assert caught.value.errno == zmq.EPROTONOSUPPORT
        push = sockets.open(zmq.PUSH, connect="only-here://127.0.0.1:1")
        text = "cannot connect: there is no transport only-here://"
        wait_for(lambda: text in caplog.text, "the refusal is in the log")
        pull = sockets.open(zmq.PULL, bind="ipc://*")
        push.connect(pull.last_endpoint.decode())
        push.send(b"1")
        push.send(b"2")  # each endpoint gets one of them
        assert pull.recv() in (b"1", b"2")
    finally:
        sockets.close()
        context.destroy(linger=0)
        registry._loaded.pop("only-here")


class Slow(TcpTransport):
    """Looks names up until it is told to go on."""

    scheme = "slow"

    def __init__(self) -> None:
        self.asked, self.answer = threading.Event(), threading.Event()
        self.listens = 0

    def lookup(
        self, address: str, options: Options, *, binding: bool
    ) -> Callable[[], Dialling] | None:
        """Wait for `answer`."""

        def seek() -> Dialling:
            self.asked.set()
            assert self.answer.wait(PATIENCE_S)
            return address, options

        return seek

    def listen(self, address: str, options: Options) -> Listener:
        """Count them."""
        self.listens += 1
        return super().listen(address, options)


@pytest.fixture
def slow() -> Iterator[Slow]:
    """The transport slow://."""
    transport = Slow()
    registry.register(transport)
    yield transport
    transport.answer.set()
    registry._loaded.pop("slow")


def test_unbound_while_its_name_is_looked_up(application: BareApplication, slow: Slow) -> None:
    application.say(Bind(ENDPOINT, SOCKET, "slow", "127.0.0.1:0", {}, "PULL"))
    assert slow.asked.wait(PATIENCE_S)
    application.say(Unbind(ENDPOINT))
    application.hear(Unbound)
    application.say(Bind(8, SOCKET, "slow", "127.0.0.1:0", {}, "PULL"))
    slow.answer.set()
    assert application.hear(Bound)[:2] == (8, 0)
    application.say(Bind(9, SOCKET, "slow", "127.0.0.1:0", {}, "PULL"))
    assert application.hear(Bound)[:2] == (9, 0)
    assert slow.listens == 2


def test_a_slow_name_keeps_only_its_own_bind_waiting(sockets: SocketFactory, slow: Slow) -> None:
    pull = sockets.open(zmq.PULL, bind="ipc://*")
    late = sockets.open(zmq.PULL)
    binding = Background(lambda: late.bind("slow://127.0.0.1:*"))
    assert slow.asked.wait(PATIENCE_S)
    for _ in range(3):  # sockets, binds and events of the same worker go on
        push = sockets.open(zmq.PUSH, connect=pull.last_endpoint.decode())
        push.send(b"x")
        assert pull.recv() == b"x"
        other = sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*")
        other.unbind(other.last_endpoint.decode())
    assert binding.is_alive()
    slow.answer.set()
    binding.result()
    port = late.last_endpoint.decode().rpartition(":")[2]
    push = sockets.open(zmq.PUSH, connect=f"tcp://127.0.0.1:{port}")
    push.send(b"y")
    assert late.recv() == b"y"
