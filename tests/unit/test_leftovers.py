"""The check that nothing is left behind finds what is."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.factory import SocketFactory
from support.leftovers import Stock, check_nothing_left
from support.library import Context, zmq
from support.remote import PeerProcess
from support.waiting import wait_for

from shmzmq.shm.liveness import ProcessId, process_start, this_process
from shmzmq.shm.segment import SegmentName


@pytest.fixture
def names() -> Iterator[list[Path]]:
    """Names in /dev/shm to be taken away."""
    made: list[Path] = []
    yield made
    for path in made:
        path.unlink(missing_ok=True)


def own_name() -> SegmentName:
    """Return a name of this process."""
    for name in map(SegmentName.parse, os.listdir("/dev/shm")):
        if name is not None and name.owner.pid == os.getpid() and name.reader is None:
            return name
    raise AssertionError("a process with a context has a name")


def leave_name(names: list[Path], name: SegmentName) -> str:
    """Make something of that name."""
    names.append(Path("/dev/shm") / str(name).removeprefix("/"))
    names[-1].touch()
    return names[-1].name


@pytest.mark.parametrize("whose", ["ours", "a worker's", "a dead worker's"])
def test_a_name_is_found(
    warm: PeerProcess, context: Context, names: list[Path], whose: str
) -> None:
    before = Stock.take(warm.pid)
    sockets = SocketFactory(context)
    sockets.open(zmq.PULL, bind="tcp://127.0.0.1:*")
    [link] = context._pool.links()
    pid = os.getpid() if whose == "ours" else link.process.pid
    start = process_start(pid)
    assert start is not None
    if whose == "a dead worker's":
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: link.process.pid != pid, "it has a successor")
    own = own_name()
    sockets.close()
    context.destroy(linger=0)
    # With a living reader, so that no process that begins just now sweeps it away.
    owner = ProcessId(pid, start)
    left = own._replace(owner=owner, serial=0xFFFFF, reader=this_process(), tag=1)
    name = leave_name(names, left)
    with pytest.raises(AssertionError, match=name):
        check_nothing_left(before, warm.pid, patience_s=0.2)
    names[0].unlink()
    check_nothing_left(before, warm.pid)


def test_a_descriptor_is_found(warm: PeerProcess) -> None:
    before = Stock.take(warm.pid)
    ends = os.pipe()
    with pytest.raises(AssertionError, match="descriptors"):
        check_nothing_left(before, warm.pid, patience_s=0.2)
    for end in ends:
        os.close(end)
    check_nothing_left(before, warm.pid)
