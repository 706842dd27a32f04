"""Green sockets: greenlets that wait on one socket at the same time, and lose no wake-up."""

import pytest

gevent = pytest.importorskip("gevent")

from collections.abc import Callable, Iterator  # noqa: E402
from pathlib import Path  # noqa: E402

from shmzmq import green as zmq  # noqa: E402

LIMIT_S = 30
Opener = Callable[[int], zmq.Socket]


@pytest.fixture
def open_socket() -> Iterator[Opener]:
    context = zmq.Context()
    opened: list[zmq.Socket] = []

    def open_one(socket_type: int) -> zmq.Socket:
        opened.append(context.socket(socket_type))
        return opened[-1]

    yield open_one
    context.destroy(linger=0)


@pytest.mark.parametrize("transport", ["inproc", "ipc"])
def test_round_trips_between_greenlets(open_socket: Opener, tmp_path: Path, transport: str) -> None:
    endpoint = "inproc://echo" if transport == "inproc" else f"ipc://{tmp_path}/echo"
    rep, req = open_socket(zmq.REP), open_socket(zmq.REQ)
    rep.bind(endpoint)
    req.connect(endpoint)

    def echo() -> None:
        while (message := rep.recv()) != b"end":
            rep.send(message)

    with gevent.Timeout(LIMIT_S):
        echoing = gevent.spawn(echo)
        for number in range(500):
            req.send(b"%d" % number)
            assert req.recv() == b"%d" % number
        req.send(b"end")
        echoing.join()


def test_one_greenlet_receives_while_another_waits_to_send(
    open_socket: Opener, tmp_path: Path
) -> None:
    """Each of them may find, and silence, the news that the other waits for."""
    near, far = open_socket(zmq.DEALER), open_socket(zmq.DEALER)
    for socket in (near, far):
        socket.sndhwm = socket.rcvhwm = 2
    near.bind(f"ipc://{tmp_path}/both")
    far.connect(f"ipc://{tmp_path}/both")
    count = 2000

    def send(socket: zmq.Socket) -> None:
        for number in range(count):
            socket.send(b"%d" % number)

    def receive(socket: zmq.Socket) -> list[int]:
        return [int(socket.recv()) for _ in range(count)]

    with gevent.Timeout(LIMIT_S):
        senders = [gevent.spawn(send, socket) for socket in (near, far)]
        receivers = [gevent.spawn(receive, socket) for socket in (near, far)]
        gevent.joinall([*senders, *receivers], raise_error=True)
    assert [receiver.value for receiver in receivers] == [list(range(count))] * 2


def test_several_greenlets_receive_from_one_socket(open_socket: Opener) -> None:
    push, pull = open_socket(zmq.PUSH), open_socket(zmq.PULL)
    push.bind("inproc://several")
    pull.connect("inproc://several")
    receivers = [gevent.spawn(pull.recv) for _ in range(5)]
    gevent.sleep(0)
    with gevent.Timeout(LIMIT_S):
        for number in range(5):
            push.send(b"%d" % number)
        gevent.joinall(receivers, raise_error=True)
    assert sorted(receiver.value for receiver in receivers) == [b"%d" % n for n in range(5)]


def test_a_router_that_waits_for_one_peer_goes_on_when_that_one_reads(
    open_socket: Opener,
) -> None:
    """POLLOUT holds all the while, as another peer could be sent to."""
    router = open_socket(zmq.ROUTER)
    router.router_mandatory = 1
    router.sndhwm = 1
    router.bind("inproc://router")
    dealer, other = open_socket(zmq.DEALER), open_socket(zmq.DEALER)
    dealer.routing_id, other.routing_id = b"dealer", b"other"
    dealer.rcvhwm = 1
    for socket in (dealer, other):
        socket.connect("inproc://router")
    received = []

    def receive() -> None:
        gevent.sleep(0)
        received.extend(dealer.recv() for _ in range(20))

    with gevent.Timeout(LIMIT_S):
        receiving = gevent.spawn(receive)
        for number in range(20):
            router.send_multipart([b"dealer", b"%d" % number])
        receiving.join()
    assert received == [b"%d" % number for number in range(20)]
