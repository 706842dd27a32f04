"""Signals: Ctrl-C ends a blocking call, and any other handler runs while the call goes on."""

import signal
from collections.abc import Callable

import pytest
from support.children import Child
from support.factory import SocketFactory
from support.library import IS_LIBZMQ, Socket, zmq
from support.waiting import wait_until_blocked

CALLS = ["recv", "recv_multipart", "send", "poll", "poller", "select"]
if not IS_LIBZMQ:
    CALLS += ["recv_many", "send_many"]


def _unblock(sockets: SocketFactory, call: str, endpoint: str) -> Callable[[], Socket]:
    """Return what lets a program's blocking call come to its end."""
    if call in ("send", "send_many"):
        return lambda: sockets.open(zmq.PULL, connect=endpoint).recv()
    return lambda: sockets.open(zmq.PUSH, connect=endpoint, linger=-1).send(b"x")


@pytest.mark.parametrize("call", CALLS)
def test_ctrl_c_ends_a_blocking_call(call: str) -> None:
    with Child("interrupted", call) as child:
        child.line()
        child.expect("ready")
        wait_until_blocked(pid=child.pid)
        child.signal(signal.SIGINT)
        child.expect("KeyboardInterrupt", "ended")
        assert child.wait() == 0


@pytest.mark.parametrize("call", CALLS)
def test_a_handler_runs_and_the_call_goes_on(sockets: SocketFactory, call: str) -> None:
    with Child("signalled", call) as child:
        endpoint = child.line()
        child.expect("ready")
        for _ in range(3):
            wait_until_blocked(pid=child.pid)
            child.signal(signal.SIGUSR1)
            child.expect("handled")
        _unblock(sockets, call, endpoint)()
        child.expect("went on")
        assert child.wait() == 0


@pytest.mark.parametrize("call", CALLS)
def test_what_a_handler_raises_comes_out_of_the_call(call: str) -> None:
    with Child("handler_raises", call) as child:
        child.line()
        child.expect("ready")
        wait_until_blocked(pid=child.pid)
        child.signal(signal.SIGUSR1)
        sent = ", 'after 0 messages'" if call == "send_many" else None
        child.expect(f"('from the handler'{sent})" if sent else "from the handler")
        assert child.wait() == 0
