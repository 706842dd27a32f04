"""Many peers of one socket: within the limit of descriptors, beyond it, and what idle ones cost."""

import errno
import os
import re
import resource
from pathlib import Path

import pytest
from crash.cast import Cast
from support.channel import ChildProcess
from support.factory import SocketFactory
from support.library import zmq
from support.remote import PeerProcess

_PEERS = 1000
# Each peer is a descriptor of the receiver's worker; the senders' worker has one more for each
# socket.
_NEEDED = 2 * _PEERS + 100

enough_descriptors = pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_NOFILE)[1] < _NEEDED,
    reason=f"a worker needs a hard limit of {_NEEDED} descriptors",
)


@enough_descriptors
def test_a_thousand_peers_within_the_default_limit(cast: Cast) -> None:
    endpoint = cast.endpoint()
    count = str(_PEERS)
    with (
        ChildProcess("crash.crowds", "receive_from_all", endpoint, count) as receiver,
        ChildProcess("crash.crowds", "send_one_each", endpoint, count) as senders,
    ):
        assert receiver.channel.hear() == "bound"
        assert senders.channel.hear() == "sent"
        assert receiver.channel.hear() == list(range(_PEERS))
        for child in (receiver, senders):
            child.channel.send("end")
            assert child.wait() == 0


def test_peers_beyond_the_limit_wait_for_their_turn(cast: Cast) -> None:
    endpoint = cast.endpoint()
    peers = 300
    with (
        ChildProcess(
            "crash.crowds", "receive_with_few_descriptors", endpoint, str(peers)
        ) as receiver,
        ChildProcess("crash.crowds", "send_one_each", endpoint, str(peers)) as senders,
    ):
        assert receiver.channel.hear() == "bound"
        assert senders.channel.hear() == "sent"
        received, report = receiver.channel.hear()
        assert 0 < received < peers
        assert re.search("descriptor|too many open files", report, re.IGNORECASE)
        # Those who close make room for those who wait.
        senders.channel.send("end")
        assert receiver.channel.hear() == list(range(peers))
        assert senders.wait() == receiver.wait() == 0


def test_sockets_beyond_the_limit_are_refused(cast: Cast) -> None:
    with ChildProcess("crash.crowds", "open_until_it_fails") as child:
        what, *said = child.channel.hear()
        assert what in ("error", "report")
        if what == "error":
            assert said[0] == errno.EMFILE
        assert re.search("descriptor|files open|open files", said[-1], re.IGNORECASE)
        assert child.channel.hear() == "ended"
        assert child.wait() == 0


def test_no_descriptor_to_spare(cast: Cast) -> None:
    with ChildProcess("crash.crowds", "start_with_few_descriptors") as child:
        failures, kept = child.channel.hear()
        assert child.wait() == 0
    # Whatever it failed at, it said why and left none open but those that a process keeps for its
    # next context: the attendant's, and a worker in the reserve.
    assert failures
    assert kept <= 4
    for number, text, more_open in failures:
        assert number == errno.EMFILE
        assert re.search("descriptor|files open|open files", text, re.IGNORECASE)
        assert more_open in (0, kept)


def test_connecting_with_one_descriptor_to_spare(sockets: SocketFactory) -> None:
    # It is the far end's doorbell, which the worker hands over; to map its board takes another.
    pull = sockets.open(zmq.PULL, bind="ipc://*")
    endpoint = pull.last_endpoint.decode()
    with ChildProcess("crash.crowds", "connect_with_one_descriptor", endpoint) as child:
        number, text = child.channel.hear()
        assert number == errno.EMFILE
        assert endpoint in text
        assert "descriptor" in text
        child.channel.send("there are more")
        # All of it comes. What we read while the connecting side took it back comes once more.
        received = []
        while b"afterwards" not in received:
            received.append(pull.recv())
        assert set(received) == {b"before", b"meanwhile", b"afterwards"}
        child.channel.send("end")
        assert child.wait() == 0


def _mapped(pid: int) -> dict[str, int]:
    """Return the sizes of the segments that a process has mapped, by inode.

    Each is reserved in full.
    """
    sizes: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        addresses, _, _, _, inode, *path = line.split()
        if path and path[0].startswith("/dev/shm/shmzmq-"):
            begin, end = (int(address, 16) for address in addresses.split("-"))
            sizes[inode] = sizes.get(inode, 0) + end - begin
    return sizes


@pytest.mark.parametrize(
    ("near", "far"),
    [(zmq.PULL, zmq.PUSH), (zmq.ROUTER, zmq.DEALER), (zmq.ROUTER, zmq.REQ), (zmq.XPUB, zmq.SUB)],
)
def test_an_idle_pipe_takes_little_memory(
    sockets: SocketFactory, peer: PeerProcess, near: int, far: int
) -> None:
    # All of /dev/shm would be easier to look at, were there not other processes that use it too.
    socket = sockets.open(near, bind="ipc://*")
    endpoint = socket.last_endpoint.decode()
    before = _mapped(os.getpid()) | _mapped(peer.pid)
    for number in range(100):
        hello = b"%d" % number
        other = peer.open(far, connect=endpoint)
        other.subscribe(hello) if far == zmq.SUB else other.send(hello)
        assert socket.recv_multipart()[-1].endswith(hello)
    sizes = _mapped(os.getpid()) | _mapped(peer.pid)
    pipes = sum(size for inode, size in sizes.items() if inode not in before)
    assert pipes / 100 <= 64 * 1024
