"""SNDHWM and RCVHWM: "a hard limit on the maximum number of outstanding messages [...] for any
single peer. A value of zero means no limit." They take effect at once.

Between two sockets of one machine both limits together count. libzmq has buffers of the system
between the two, so there it is only known that all is taken in the end.
"""

import pytest
from support.library import Socket, ours_better, zmq
from support.links import Link, inproc_only, ipc_only, local_only


def fill(socket: Socket, most: int) -> int:
    """Send until that would block, at most so often; return how many were sent."""
    for sent in range(most):
        try:
            socket.send(b"%d" % sent, zmq.DONTWAIT)
        except zmq.Again:
            return sent
    return most


@inproc_only
def test_both_marks_together_are_the_limit(link: Link) -> None:
    _, push = link.pair(zmq.PULL, zmq.PUSH, {"rcvhwm": 7}, {"sndhwm": 5})
    assert fill(push, 100) == 12


@ipc_only
@ours_better("nothing but the two queues lies in between")
def test_also_between_processes(link: Link) -> None:
    endpoint = link.endpoint()
    pull = link.far(zmq.PULL, bind=endpoint, rcvhwm=7)
    push = link.near(zmq.PUSH, connect=endpoint, sndhwm=5)
    push.send(b"are you there")
    assert pull.recv() == b"are you there"
    assert fill(push, 100) == 12


@pytest.mark.parametrize("marks", [(0, 5), (5, 0), (0, 0)], ids=["SNDHWM", "RCVHWM", "both"])
def test_zero_is_no_limit(link: Link, marks: tuple[int, int]) -> None:
    sndhwm, rcvhwm = marks
    pull, push = link.pair(zmq.PULL, zmq.PUSH, {"rcvhwm": rcvhwm}, {"sndhwm": sndhwm})
    count = 20_000
    if sndhwm and link.takes_time:
        push.setsockopt(zmq.SNDTIMEO, 20_000)
        for number in range(count):  # the I/O thread may need a moment to take it over
            push.send(b"%d" % number)
    else:
        push.send(b"are you there")
        assert pull.recv() == b"are you there"
        assert fill(push, count) == count
    received = [pull.recv() for _ in range(count)]
    assert received == [b"%d" % number for number in range(count)]


@local_only
@ours_better("libzmq applies a changed mark to connections made later")
def test_a_changed_mark_counts_at_once(link: Link) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH, {"rcvhwm": 5}, {"sndhwm": 5})
    push.send(b"are you there")
    assert pull.recv() == b"are you there"
    assert fill(push, 100) == 10
    push.setsockopt(zmq.SNDHWM, 8)
    assert fill(push, 100) == 3
