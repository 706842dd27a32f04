"""TCP_ACCEPT_FILTER: "an arbitrary number of filters that will be applied for each new TCP
transport connection on a listening socket. [...] If at least one filter is applied then new
connection source ip should be matched. To clear all filters call zmq_setsockopt(socket,
ZMQ_TCP_ACCEPT_FILTER, NULL, 0). Filter is a null-terminated string with ipv6 or ipv4 CIDR."

IPC_FILTER_UID, IPC_FILTER_GID and IPC_FILTER_PID: "If no IPC filters are applied, then the IPC
transport allows connections from any process. If at least one UID, GID, or PID filter is applied
then new connection credentials should be matched."
"""

import os
from collections.abc import Callable
from typing import Any

import pytest
from support.asked import workers_only
from support.factory import SocketFactory
from support.library import ours_better, zmq
from support.links import LIBZMQ_KINDS, Link
from support.plain import Plain
from support.raw_peer import RawPeer, frame
from support.remote import PeerProcess

NOBODY = 1_234_567
OWN: dict[str, Callable[[], int]] = {
    "ipc_filter_uid": os.getuid,
    "ipc_filter_gid": os.getgid,
    "ipc_filter_pid": os.getpid,
}
clears = ours_better("pyzmq cannot pass NULL")


def is_let_in(endpoint: str) -> bool:
    """Whether somebody in this process is spoken to there."""
    with RawPeer(endpoint) as peer:
        return peer.hear(1) == b"\xff"


# -- tcp -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "let_in", "kept_out"),
    [
        ([b"127.0.0.2"], ["127.0.0.2"], ["127.0.0.3", "127.0.0.1"]),
        ([b"127.0.0.2/32\0"], ["127.0.0.2"], ["127.0.0.3"]),
        ([b"127.1.0.0/16"], ["127.1.2.3", "127.1.255.255"], ["127.0.0.1", "127.2.0.1"]),
        ([b"127.0.0.2", b"127.1.0.0/16"], ["127.0.0.2", "127.1.2.3"], ["127.0.0.3"]),
        ([b"10.0.0.0/8"], [], ["127.0.0.1"]),
        ([], ["127.0.0.1", "127.5.6.7"], []),
    ],
)
def test_the_source_must_match_a_filter(
    plain: Plain,
    sockets: SocketFactory,
    filters: list[bytes],
    let_in: list[str],
    kept_out: list[str],
) -> None:
    server = sockets.open(zmq.PUSH, tcp_accept_filter=filters, bind="tcp://127.0.0.1:*")
    endpoint = server.last_endpoint.rstrip(b"\0")
    for source in let_in:
        plain.connect(endpoint, source=source)
    for source in kept_out:
        assert plain.dial(endpoint, source=source).recv(1) == b""


@pytest.mark.parametrize(("filter_", "let_in"), [(b"::1/128", True), (b"2001:db8::/32", False)])
def test_over_ipv6(plain: Plain, sockets: SocketFactory, filter_: bytes, let_in: bool) -> None:
    server = sockets.open(zmq.PUSH, ipv6=1, tcp_accept_filter=filter_, bind="tcp://[::1]:*")
    heard = plain.dial(server.last_endpoint.rstrip(b"\0")).recv(1)
    assert heard == (b"\xff" if let_in else b"")


@clears
def test_none_clears_them(plain: Plain, sockets: SocketFactory) -> None:
    server = sockets.open(zmq.PUSH, tcp_accept_filter=[b"127.0.0.2"], bind="tcp://127.0.0.1:*")
    server.setsockopt(zmq.TCP_ACCEPT_FILTER, None)
    assert plain.dial(server.last_endpoint, source="127.0.0.3").recv(1) == b""
    server.bind("tcp://127.0.0.1:*")
    plain.connect(server.last_endpoint, source="127.0.0.3")


@pytest.mark.parametrize("link", LIBZMQ_KINDS[:1], indirect=True)
def test_libzmq_is_kept_out(link: Link) -> None:
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL, bind=endpoint, tcp_accept_filter=b"10.0.0.0/8")
    push = link.far(zmq.PUSH, connect=endpoint, immediate=1, reconnect_ivl=5, sndtimeo=200)
    with pytest.raises(zmq.Again):
        push.send(b"nobody listens")
    pull.setsockopt(zmq.TCP_ACCEPT_FILTER, b"127.0.0.0/8")  # one more
    other = link.endpoint()
    pull.bind(other)
    push.connect(other)
    push.setsockopt(zmq.SNDTIMEO, 20_000)
    push.send(b"let in")
    assert pull.recv() == b"let in"


# -- ipc -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", OWN)
def test_a_peer_must_have_one_of_the_ids(sockets: SocketFactory, option: str) -> None:
    ids = [NOBODY, OWN[option]()]
    strict = sockets.open(zmq.PULL, bind="ipc://*", **{option: NOBODY})
    assert not is_let_in(strict.last_endpoint.rstrip(b"\0").decode())
    lenient = sockets.open(zmq.PULL, bind="ipc://*", **{option: ids})
    assert is_let_in(lenient.last_endpoint.rstrip(b"\0").decode())


@pytest.mark.parametrize("option", OWN)
def test_one_filter_of_any_kind_is_enough(sockets: SocketFactory, option: str) -> None:
    options = dict.fromkeys(OWN, NOBODY) | {option: OWN[option]()}
    pull = sockets.open(zmq.PULL, bind="ipc://*", **options)
    assert is_let_in(pull.last_endpoint.rstrip(b"\0").decode())


@clears
@pytest.mark.parametrize("option", OWN)
def test_none_clears_those_of_its_kind(sockets: SocketFactory, option: str) -> None:
    pull = sockets.open(zmq.PULL, bind="ipc://*", **{option: NOBODY})
    first = pull.last_endpoint.decode()
    pull.setsockopt(getattr(zmq, option.upper()), None)
    pull.bind("ipc://*")
    assert not is_let_in(first)
    assert is_let_in(pull.last_endpoint.decode())


@workers_only
@pytest.mark.parametrize("kind", ["shmzmq", "libzmq"])
@pytest.mark.parametrize("option", OWN)
def test_the_application_counts_and_not_its_worker(
    sockets: SocketFactory,
    request: pytest.FixtureRequest,
    kind: str,
    option: str,
) -> None:
    """A peer in another process: it is let in by its own pid, be it that of a libzmq or ours."""
    far: PeerProcess = request.getfixturevalue("peer" if kind == "shmzmq" else "libzmq")
    own: dict[str, Any] = {option: far.pid if option == "ipc_filter_pid" else OWN[option]()}
    pull = sockets.open(zmq.PULL, bind="ipc://*", **own)
    far.open(zmq.PUSH, connect=pull.last_endpoint.decode()).send(b"let in")
    message = pull.recv(copy=False)
    assert message.bytes == b"let in"
    assert message.get("Peer-Address") == f"localhost:{os.getuid()}:{os.getgid()}:{far.pid}"


@workers_only
@pytest.mark.parametrize("kind", ["shmzmq", "libzmq"])
@pytest.mark.parametrize("option", OWN)
def test_who_shares_memory_is_kept_out_as_well(
    sockets: SocketFactory, request: pytest.FixtureRequest, kind: str, option: str
) -> None:
    far: PeerProcess = request.getfixturevalue("peer" if kind == "shmzmq" else "libzmq")
    # Of its relatives none counts either: not who started it.
    stranger = os.getpid() if option == "ipc_filter_pid" else NOBODY
    pull = sockets.open(zmq.PULL, bind="ipc://*", **{option: stranger})
    endpoint = pull.last_endpoint.decode()
    push = far.open(zmq.PUSH, connect=endpoint, immediate=1, reconnect_ivl=5, sndtimeo=200)
    with pytest.raises(zmq.Again):
        push.send(b"nobody listens")
    if option != "ipc_filter_pid":
        return
    with RawPeer(endpoint) as peer:  # whose pid it is
        peer.shake_hands(b"PUSH")
        peer.say(frame(b"let in"))
        assert pull.recv() == b"let in"


def test_they_count_for_what_is_bound_after_they_were_set(
    plain: Plain, sockets: SocketFactory
) -> None:
    server = sockets.open(zmq.PUSH, bind="tcp://127.0.0.1:*")
    server.setsockopt(zmq.TCP_ACCEPT_FILTER, b"10.0.0.0/8")
    plain.connect(server.last_endpoint.rstrip(b"\0"))
    pull = sockets.open(zmq.PULL, bind="ipc://*")
    pull.setsockopt(zmq.IPC_FILTER_UID, NOBODY)
    assert is_let_in(pull.last_endpoint.rstrip(b"\0").decode())
