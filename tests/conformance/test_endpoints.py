"""Endpoints: what is refused and how, names, wildcards, unbind, disconnect (zmq_bind, zmq_ipc)."""

import contextlib
import errno
import os
import socket as unix
import tempfile
from pathlib import Path

import pytest
from support.exchange import bind_when_free, drain
from support.factory import SocketFactory
from support.library import Context, Socket, ours_better, zmq
from support.links import Link, ipc_only, local_ipc_only
from support.waiting import wait_for

BAD = [
    ("", errno.EINVAL),
    ("nonsense", errno.EINVAL),
    ("ipc:/no-second-slash", errno.EINVAL),
    ("://x", errno.EINVAL),
    ("ipc://", errno.EINVAL),
    ("inproc://", errno.EINVAL),
    ("foo://x", errno.EPROTONOSUPPORT),
    ("IPC:///x", errno.EPROTONOSUPPORT),
]
BAD_NAMES = [("ipc:///" + "x" * 107, errno.ENAMETOOLONG), ("ipc://@", errno.EINVAL)]


@pytest.mark.parametrize("call", ["bind", "connect", "unbind", "disconnect"])
@pytest.mark.parametrize(("endpoint", "number"), BAD)
def test_bad_endpoints(sockets: SocketFactory, call: str, endpoint: str, number: int) -> None:
    with pytest.raises(zmq.ZMQError) as caught:
        getattr(sockets.open(zmq.PAIR), call)(endpoint)
    assert caught.value.errno == number
    if call in ("bind", "connect"):
        assert endpoint in str(caught.value)


@pytest.mark.parametrize("call", ["bind", "connect"])
@pytest.mark.parametrize(("endpoint", "number"), BAD_NAMES)
def test_bad_names(sockets: SocketFactory, call: str, endpoint: str, number: int) -> None:
    with pytest.raises(zmq.ZMQError) as caught:
        getattr(sockets.open(zmq.PAIR), call)(endpoint)
    assert caught.value.errno == number


def test_bad_endpoints_leave_the_socket_usable(link: Link) -> None:
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL)
    for bad, _ in BAD:
        with pytest.raises(zmq.ZMQError):
            pull.bind(bad)
    pull.bind(endpoint)
    link.far(zmq.PUSH, connect=endpoint).send(b"x")
    assert pull.recv() == b"x"


@pytest.mark.parametrize("call", ["bind", "connect", "unbind", "disconnect"])
@pytest.mark.parametrize("wrong", [None, 5, 1.5, ["inproc://x"]], ids=str)
def test_endpoints_are_text(sockets: SocketFactory, call: str, wrong: object) -> None:
    with pytest.raises(TypeError):
        getattr(sockets.open(zmq.PAIR), call)(wrong)


def test_endpoints_may_be_bytes(sockets: SocketFactory) -> None:
    pull = sockets.open(zmq.PULL)
    pull.bind(b"inproc://bytes")
    sockets.open(zmq.PUSH, connect="inproc://bytes").send(b"x")
    assert pull.recv() == b"x"


def test_a_path_in_a_directory_that_is_not_there(sockets: SocketFactory, tmp_path: Path) -> None:
    with pytest.raises(zmq.ZMQError) as caught:
        sockets.open(zmq.PULL, bind=f"ipc://{tmp_path}/missing/x")
    assert caught.value.errno == errno.ENOENT


def test_a_path_below_a_file(sockets: SocketFactory, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(zmq.ZMQError) as caught:
        sockets.open(zmq.PULL, bind=f"ipc://{tmp_path}/file/x")
    assert caught.value.errno == errno.ENOTDIR


def test_a_path_that_is_a_directory(sockets: SocketFactory, tmp_path: Path) -> None:
    with pytest.raises(zmq.ZMQError) as caught:
        sockets.open(zmq.PULL, bind=f"ipc://{tmp_path}")
    assert caught.value.errno == errno.EADDRINUSE


def test_connecting_to_a_path_that_cannot_be_yet(sockets: SocketFactory, tmp_path: Path) -> None:
    directory = tmp_path / "later"
    push = sockets.open(zmq.PUSH, connect=f"ipc://{directory}/x", reconnect_ivl=5)
    push.send(b"early")
    directory.mkdir()
    pull = sockets.open(zmq.PULL, bind=f"ipc://{directory}/x")
    assert pull.recv() == b"early"


@pytest.mark.parametrize("link", ["inproc", "ipc-abstract", "ipc-process"], indirect=True)
def test_a_name_that_is_taken(link: Link) -> None:
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL, bind=endpoint)
    for again in (pull, link.near(zmq.PULL), link.far(zmq.PULL)):
        with pytest.raises(zmq.ZMQError) as caught:
            again.bind(endpoint)
        assert caught.value.errno == errno.EADDRINUSE
    link.far(zmq.PUSH, connect=endpoint).send(b"x")
    assert pull.recv() == b"x"


def test_a_path_goes_to_whoever_bound_it_last(sockets: SocketFactory, tmp_path: Path) -> None:
    # zmq_ipc: the ipc transport is not consistent with the others here.
    endpoint = f"ipc://{tmp_path}/x"
    sockets.open(zmq.PULL, bind=endpoint)
    last = sockets.open(zmq.PULL, bind=endpoint)
    sockets.open(zmq.PUSH, connect=endpoint).send(b"x")
    assert last.recv() == b"x"


def test_a_path_left_by_someone_who_died(sockets: SocketFactory, tmp_path: Path) -> None:
    with unix.socket(unix.AF_UNIX) as dead:
        dead.bind(f"{tmp_path}/x")
        dead.listen()
    pull = sockets.open(zmq.PULL, bind=f"ipc://{tmp_path}/x")
    sockets.open(zmq.PUSH, connect=f"ipc://{tmp_path}/x").send(b"x")
    assert pull.recv() == b"x"


@pytest.mark.parametrize("length", [100, 107])
def test_the_longest_names(sockets: SocketFactory, length: int) -> None:
    # Only abstract names can be so long wherever the tests run.
    endpoint = f"ipc://@shmzmq-test-{os.getpid()}-".ljust(len("ipc://") + length, "x")
    pull = sockets.open(zmq.PULL, bind=endpoint)
    sockets.open(zmq.PUSH, connect=endpoint).send(b"x")
    assert pull.recv() == b"x"
    assert pull.last_endpoint == endpoint.encode()


def test_a_long_inproc_name(sockets: SocketFactory) -> None:
    endpoint = "inproc://" + "x" * 200
    pull = sockets.open(zmq.PULL, bind=endpoint)
    sockets.open(zmq.PUSH, connect=endpoint).send(b"x")
    assert pull.recv() == b"x"


@pytest.mark.parametrize("name", ["a b", "größe", "a:b", "100%", "#?&"])
def test_odd_names(sockets: SocketFactory, tmp_path: Path, name: str) -> None:
    for endpoint in (f"inproc://{name}", f"ipc://{tmp_path}/{name}"):
        pull = sockets.open(zmq.PULL, bind=endpoint)
        sockets.open(zmq.PUSH, connect=endpoint).send(b"x")
        assert pull.recv() == b"x"
    assert (tmp_path / name).is_socket()


def test_last_endpoint(link: Link) -> None:
    first, second = link.endpoint(), link.endpoint()
    socket = link.near(zmq.PULL)
    assert socket.getsockopt(zmq.LAST_ENDPOINT) == b""
    socket.bind(first)
    assert socket.getsockopt(zmq.LAST_ENDPOINT) == first.encode()
    assert socket.get_string(zmq.LAST_ENDPOINT) == first
    socket.connect(second)
    assert socket.last_endpoint == second.encode()
    with pytest.raises(zmq.ZMQError):
        socket.bind("foo://x")
    assert socket.last_endpoint == second.encode()


def _exchange(binder: Socket, connecter: Socket) -> None:
    """Send a message from a connected PUSH to a bound PULL."""
    connecter.connect(binder.last_endpoint.decode())
    connecter.send(b"x")
    assert binder.recv() == b"x"


@pytest.mark.parametrize("link", ["ipc-path", "ipc-process"], indirect=True)
def test_wildcard(link: Link) -> None:
    first = link.near(zmq.PULL, bind="ipc://*")
    second = link.near(zmq.PULL, bind="ipc://*")
    assert first.last_endpoint.startswith(b"ipc://")
    assert b"*" not in first.last_endpoint
    assert first.last_endpoint != second.last_endpoint
    _exchange(first, link.far(zmq.PUSH))
    _exchange(second, link.far(zmq.PUSH))


def test_what_a_wildcard_made_goes_with_its_socket(context: Context) -> None:
    pull = context.socket(zmq.PULL)
    pull.bind("ipc://*")
    path = Path(pull.get_string(zmq.LAST_ENDPOINT).removeprefix("ipc://"))
    assert path.is_socket()
    directory = path.parent if path.parent != Path(tempfile.gettempdir()) else path
    pull.close()
    context.term()
    assert not path.exists()
    assert not directory.exists()


def test_unbinding_frees_the_name(link: Link) -> None:
    endpoint = link.endpoint()
    first = link.near(zmq.PULL, bind=endpoint)
    first.unbind(endpoint)
    second = link.near(zmq.PULL)
    bind_when_free(second, endpoint)
    link.far(zmq.PUSH, connect=endpoint).send(b"x")
    assert second.recv() == b"x"
    assert drain(first) == []


def test_rebinding_after_unbinding(link: Link) -> None:
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL, bind=endpoint)
    for number in range(3):
        pull.unbind(endpoint)
        bind_when_free(pull, endpoint)
        push = link.far(zmq.PUSH, connect=endpoint)
        push.send(b"%d" % number)
        assert pull.recv() == b"%d" % number
        push.close()


def test_rebinding_after_closing(link: Link) -> None:
    endpoint = link.endpoint()
    for number in range(3):
        pull = link.near(zmq.PULL)
        bind_when_free(pull, endpoint)
        link.far(zmq.PUSH, connect=endpoint).send(b"%d" % number)
        assert pull.recv() == b"%d" % number
        pull.close()


@local_ipc_only
def test_after_unbinding_nobody_listens(link: Link) -> None:
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL, bind=endpoint)
    address = endpoint.removeprefix("ipc://").replace("@", "\0", 1)

    def refused() -> bool:
        with unix.socket(unix.AF_UNIX) as probe:
            return probe.connect_ex(address) in (errno.ECONNREFUSED, errno.ENOENT)

    assert not refused()
    pull.unbind(endpoint)
    wait_for(refused, "nobody listens")


def test_unbinding_leaves_the_other_endpoints(link: Link) -> None:
    gone, stays = link.endpoint(), link.endpoint()
    pull = link.near(zmq.PULL, bind=[gone, stays])
    pull.unbind(gone)
    link.far(zmq.PUSH, connect=stays).send(b"x")
    assert pull.recv() == b"x"


@pytest.mark.parametrize("call", ["unbind", "disconnect"])
def test_leaving_what_was_never_joined(link: Link, call: str) -> None:
    socket = link.near(zmq.PULL, bind=link.endpoint(), connect=link.endpoint())
    with pytest.raises(zmq.ZMQError) as caught:
        getattr(socket, call)(link.endpoint())
    assert caught.value.errno == errno.ENOENT


@pytest.mark.parametrize(("join", "leave"), [("bind", "unbind"), ("connect", "disconnect")])
def test_leaving_twice(link: Link, join: str, leave: str) -> None:
    endpoint = link.endpoint()
    socket = link.near(zmq.PULL, **{join: endpoint})
    getattr(socket, leave)(endpoint)
    with pytest.raises(zmq.ZMQError) as caught:
        getattr(socket, leave)(endpoint)
    assert caught.value.errno == errno.ENOENT


def test_disconnecting_takes_a_peer_out_of_the_round(link: Link) -> None:
    endpoints = [link.endpoint(), link.endpoint()]
    leaves, stays = (link.far(zmq.PULL, bind=endpoint) for endpoint in endpoints)
    push = link.near(zmq.PUSH, connect=endpoints)
    push.send(b"1")
    push.send(b"2")
    assert [leaves.recv(), stays.recv()] == [b"1", b"2"]
    push.disconnect(endpoints[0])
    for number in range(10):
        push.send(b"%d" % number)
    assert [stays.recv() for _ in range(10)] == [b"%d" % number for number in range(10)]
    assert not leaves.poll(0)


def test_connecting_again_after_disconnecting(link: Link) -> None:
    endpoint = link.endpoint()
    pull = link.far(zmq.PULL, bind=endpoint)
    push = link.near(zmq.PUSH, connect=endpoint)
    for number in range(3):
        push.send(b"%d" % number)
        assert pull.recv() == b"%d" % number
        push.disconnect(endpoint)
        push.connect(endpoint)


def test_connecting_twice_makes_two_pipes(link: Link) -> None:
    endpoint = link.endpoint()
    dealer = link.near(zmq.PUSH, connect=[endpoint, endpoint], sndhwm=5)
    for _ in range(10):
        dealer.send(b"x", zmq.NOBLOCK)
    with pytest.raises(zmq.Again):
        dealer.send(b"x", zmq.NOBLOCK)
    pull = link.far(zmq.PULL, bind=endpoint)
    assert [pull.recv() for _ in range(10)] == [b"x"] * 10


@pytest.mark.parametrize("join", ["bind", "connect"])
def test_bind_and_connect_as_context_managers(link: Link, join: str) -> None:
    endpoint = link.endpoint()
    near, far = link.near(zmq.PAIR), link.far(zmq.PAIR)
    getattr(far, "connect" if join == "bind" else "bind")(endpoint)
    with getattr(near, join)(endpoint) as same:
        assert same is near
        far.send(b"x")
        assert near.recv() == b"x"
    with pytest.raises(zmq.ZMQError) as caught:
        (near.unbind if join == "bind" else near.disconnect)(endpoint)
    assert caught.value.errno == errno.ENOENT


@ipc_only
def test_messages_go_only_to_completed_connections(link: Link) -> None:
    absent, present = link.endpoint(), link.endpoint()
    push = link.near(zmq.PUSH, connect=[absent, present], immediate=1)
    with pytest.raises(zmq.Again):
        push.send(b"nobody", zmq.NOBLOCK)
    pull = link.far(zmq.PULL, bind=present)
    for number in range(10):
        push.send(b"%d" % number)
    assert [pull.recv() for _ in range(10)] == [b"%d" % number for number in range(10)]


def test_inproc_names_belong_to_their_context(sockets: SocketFactory) -> None:
    with zmq.Context() as other:
        mine = sockets.open(zmq.PULL, bind="inproc://same")
        factory = SocketFactory(other)
        theirs = factory.open(zmq.PULL, bind="inproc://same")
        factory.open(zmq.PUSH, connect="inproc://same").send(b"theirs")
        sockets.open(zmq.PUSH, connect="inproc://same").send(b"mine")
        assert (mine.recv(), theirs.recv()) == (b"mine", b"theirs")
        assert drain(mine) == drain(theirs) == []
        factory.close()


@ipc_only
def test_a_peer_of_a_wrong_type_is_turned_away(link: Link) -> None:
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL, bind=endpoint)
    wrong = link.far(zmq.DEALER, connect=endpoint)
    with contextlib.suppress(zmq.Again):  # it may know already
        wrong.send(b"wrong", zmq.NOBLOCK)
    right = link.far(zmq.PUSH, connect=endpoint)
    for number in range(100):
        right.send(b"%d" % number)
        assert pull.recv() == b"%d" % number


@ours_better("a file that is no socket is not removed to make room for one")
def test_a_file_that_is_no_socket_is_left_alone(sockets: SocketFactory, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep")
    with pytest.raises(zmq.ZMQError) as caught:
        sockets.open(zmq.PULL, bind=f"ipc://{tmp_path}/precious")
    assert caught.value.errno == errno.EADDRINUSE
    assert (tmp_path / "precious").read_text() == "keep"
