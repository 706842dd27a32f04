"""Context and the life of a Socket object: making, ending, with, instance(), closed sockets."""

import errno
import gc
import warnings
from collections.abc import Callable, Iterator

import pytest
from support.factory import SocketFactory
from support.library import Context, Socket, zmq
from support.waiting import Background


@pytest.fixture
def _no_instance() -> Iterator[None]:
    """End the shared instance that a test leaves."""
    yield
    zmq.Context.instance().term()


def _talk(context: Context) -> None:
    """Check that sockets of this context work."""
    with context.socket(zmq.PULL) as pull, context.socket(zmq.PUSH) as push:
        pull.bind("inproc://talk")
        push.connect("inproc://talk")
        push.send(b"x")
        assert pull.recv() == b"x"


def _forget(made: list[object]) -> None:
    """Drop the last references to these objects."""
    made.clear()
    gc.collect()


def test_ending_twice(context: Context) -> None:
    assert not context.closed
    context.term()
    assert context.closed
    context.term()
    context.destroy()
    assert context.closed


def test_an_ended_context_makes_no_sockets(context: Context) -> None:
    context.term()
    with pytest.raises(zmq.ZMQError):
        context.socket(zmq.PULL)


def test_with_ends_the_context() -> None:
    with zmq.Context() as context:
        _talk(context)
    assert context.closed


def test_with_ends_the_context_also_after_an_error() -> None:
    with pytest.raises(LookupError), zmq.Context() as context, context.socket(zmq.PULL) as pull:
        raise LookupError
    assert pull.closed
    assert context.closed


def test_destroy_closes_the_sockets(context: Context) -> None:
    sockets = [context.socket(kind) for kind in (zmq.PUSH, zmq.PULL, zmq.SUB)]
    sockets[0].connect("ipc://@shmzmq-test-nobody")
    sockets[0].send(b"lost")
    context.destroy(linger=0)
    assert all(socket.closed for socket in sockets)
    assert context.closed


def test_with_closes_forgotten_sockets_and_says_so() -> None:
    context = zmq.Context()
    socket = context.socket(zmq.PULL)
    with pytest.warns(ResourceWarning), context:
        pass
    assert socket.closed


def test_a_forgotten_socket_is_closed_and_reported(context: Context) -> None:
    socket = context.socket(zmq.PULL)
    socket.bind("inproc://forgotten")
    made = [socket]
    del socket
    with pytest.warns(ResourceWarning):
        _forget(made)
    # term() would wait for a socket that is still open.
    Background(context.term).result()


def test_a_forgotten_context_is_ended_and_reported() -> None:
    made = [zmq.Context()]
    with pytest.warns(ResourceWarning):
        _forget(made)


def test_closing_is_not_reported(context: Context) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        socket = context.socket(zmq.PULL)
        socket.close()
        del socket
        gc.collect()


@pytest.mark.usefixtures("_no_instance")
def test_the_instance_is_shared() -> None:
    first: Context = zmq.Context.instance()
    assert zmq.Context.instance() is first
    elsewhere: Context = Background(zmq.Context.instance).result()
    assert elsewhere is first
    _talk(first)
    first.term()
    second = zmq.Context.instance()
    assert second is not first
    assert not second.closed
    _talk(second)


def test_contexts_do_not_see_each_other() -> None:
    with zmq.Context() as one, zmq.Context() as other:
        _talk(one)
        _talk(other)
        one.term()
        _talk(other)


@pytest.mark.parametrize("io_threads", [1, 2, 4])
def test_the_number_of_workers(io_threads: int) -> None:
    with zmq.Context(io_threads) as context:
        assert context.get(zmq.IO_THREADS) == io_threads
        factory = SocketFactory(context)
        pull = factory.open(zmq.PULL, bind="ipc://*")
        endpoint = pull.get_string(zmq.LAST_ENDPOINT)
        pushes = [factory.open(zmq.PUSH, connect=endpoint) for _ in range(io_threads * 2)]
        for push in pushes:
            push.send(b"x")
        assert [pull.recv() for _ in pushes] == [b"x"] * len(pushes)
        factory.close()


def test_inproc_needs_no_workers() -> None:
    with zmq.Context(io_threads=0) as context:
        _talk(context)


def test_contexts_in_a_row() -> None:
    for _ in range(20):
        with zmq.Context() as context:
            factory = SocketFactory(context)
            pull = factory.open(zmq.PULL, bind="ipc://*")
            factory.open(zmq.PUSH, connect=pull.get_string(zmq.LAST_ENDPOINT)).send(b"x")
            assert pull.recv() == b"x"
            factory.close()


def test_a_socket_knows_its_context(context: Context) -> None:
    with context.socket(zmq.PULL) as pull, zmq.Socket(context, zmq.PUSH) as push:
        assert pull.context is context
        assert push.context is context
        assert isinstance(pull, zmq.Socket)


def test_with_closes_the_socket(context: Context) -> None:
    with context.socket(zmq.PULL) as pull:
        assert not pull.closed
    assert pull.closed
    with pytest.raises(LookupError), context.socket(zmq.PULL) as pull:
        raise LookupError
    assert pull.closed


def test_closing_twice(context: Context) -> None:
    socket = context.socket(zmq.PULL)
    socket.close()
    socket.close()
    socket.close(linger=0)
    assert socket.closed


CALLS: dict[str, Callable[[Socket], object]] = {
    "send": lambda socket: socket.send(b"x"),
    "send without a copy": lambda socket: socket.send(b"x", copy=False),
    "send_multipart": lambda socket: socket.send_multipart([b"x", b"y"]),
    "send_string": lambda socket: socket.send_string("x"),
    "recv": lambda socket: socket.recv(),
    "recv without a copy": lambda socket: socket.recv(copy=False),
    "recv_multipart": lambda socket: socket.recv_multipart(),
    "bind": lambda socket: socket.bind("inproc://x"),
    "connect": lambda socket: socket.connect("inproc://x"),
    "unbind": lambda socket: socket.unbind("inproc://x"),
    "disconnect": lambda socket: socket.disconnect("inproc://x"),
    "getsockopt": lambda socket: socket.getsockopt(zmq.LINGER),
    "setsockopt": lambda socket: socket.setsockopt(zmq.LINGER, 0),
    "attribute": lambda socket: socket.linger,
    "fileno": lambda socket: socket.fileno(),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_closed_socket_can_do_nothing(context: Context, call: str) -> None:
    socket = context.socket(zmq.PAIR)
    socket.close()
    with pytest.raises(zmq.ZMQError) as caught:
        CALLS[call](socket)
    assert caught.value.errno == zmq.ENOTSOCK


def test_errors_have_one_family() -> None:
    assert issubclass(zmq.Again, zmq.ZMQError)
    assert issubclass(zmq.ContextTerminated, zmq.ZMQError)
    assert issubclass(zmq.ZMQError, zmq.ZMQBaseError)
    assert zmq.Again().errno == zmq.EAGAIN
    assert zmq.ContextTerminated().errno == zmq.ETERM
    error = zmq.ZMQError(zmq.EINVAL, "what was wrong")
    assert error.errno == zmq.EINVAL
    assert str(error) == "what was wrong"
    assert "what was wrong" in repr(error)
    assert zmq.ZMQError(zmq.EFSM).strerror == zmq.strerror(zmq.EFSM)
    assert zmq.error.ZMQError is zmq.ZMQError


@pytest.mark.parametrize(
    ("name", "offset"), [("EFSM", 51), ("ENOCOMPATPROTO", 52), ("ETERM", 53), ("EMTHREAD", 54)]
)
def test_zeromqs_own_error_numbers(name: str, offset: int) -> None:
    assert getattr(zmq, name) == 156384712 + offset


@pytest.mark.parametrize(
    ("option", "good", "bad"),
    [
        ("THREAD_PRIORITY", [0, 5], [-1]),
        ("THREAD_SCHED_POLICY", [0, 1], [-1, -2]),
        ("THREAD_AFFINITY_CPU_ADD", [0, 1], [-1]),
        ("THREAD_AFFINITY_CPU_REMOVE", [], [-1, 0]),
        ("THREAD_NAME_PREFIX", [0, 1234567], []),
    ],
)
def test_thread_options(context: Context, option: str, good: list[int], bad: list[int]) -> None:
    number = getattr(zmq, option)
    for value in good:
        context.set(number, value)
    for value in bad:
        with pytest.raises(zmq.ZMQError) as refused:
            context.set(number, value)
        assert refused.value.errno == errno.EINVAL
    readable = {"THREAD_SCHED_POLICY": good[-1:], "THREAD_NAME_PREFIX": good[-1:]}
    if option in readable:
        assert [context.get(number)] == readable[option]
    elif option != "THREAD_PRIORITY":  # its number is that of SOCKET_LIMIT when it is read
        with pytest.raises(zmq.ZMQError):
            context.get(number)


def test_a_cpu_can_be_removed_once(context: Context) -> None:
    context.set(zmq.THREAD_AFFINITY_CPU_ADD, 0)
    context.set(zmq.THREAD_AFFINITY_CPU_REMOVE, 0)
    with pytest.raises(zmq.ZMQError):
        context.set(zmq.THREAD_AFFINITY_CPU_REMOVE, 0)
