"""Options: numbers, defaults, bounds, and the ways to set and read them (zmq_setsockopt)."""

import errno
from collections.abc import Callable

import pytest
from support.factory import SocketFactory
from support.library import IS_LIBZMQ, Context, Socket, ours_better, zmq
from support.links import Link

NUMBERS = {
    "AFFINITY": 4,
    "IDENTITY": 5,
    "ROUTING_ID": 5,
    "SUBSCRIBE": 6,
    "UNSUBSCRIBE": 7,
    "RCVMORE": 13,
    "FD": 14,
    "EVENTS": 15,
    "TYPE": 16,
    "LINGER": 17,
    "RECONNECT_IVL": 18,
    "BACKLOG": 19,
    "RECONNECT_IVL_MAX": 21,
    "SNDHWM": 23,
    "RCVHWM": 24,
    "RCVTIMEO": 27,
    "SNDTIMEO": 28,
    "LAST_ENDPOINT": 32,
    "IMMEDIATE": 39,
}
DEFAULTS = {
    "AFFINITY": 0,
    "BACKLOG": 100,
    "EVENTS": 0,
    "IDENTITY": b"",
    "IMMEDIATE": 0,
    "LAST_ENDPOINT": b"",
    "LINGER": -1 if IS_LIBZMQ else 30_000,  # the manuals of 4.2 say thirty seconds
    "RCVHWM": 1000,
    "RCVMORE": 0,
    "RCVTIMEO": -1,
    "RECONNECT_IVL": 100,
    "RECONNECT_IVL_MAX": 0,
    "ROUTING_ID": b"",
    "SNDHWM": 1000,
    "SNDTIMEO": -1,
}
GOOD = [
    ("AFFINITY", 0),
    ("AFFINITY", 5),
    ("BACKLOG", 0),
    ("BACKLOG", 4096),
    ("IDENTITY", b"x"),
    ("IDENTITY", b"\0\xff" * 127),
    ("IMMEDIATE", 0),
    ("IMMEDIATE", 1),
    ("LINGER", -1),
    ("LINGER", 0),
    ("LINGER", 2**31 - 1),
    ("RCVHWM", 0),
    ("RCVHWM", 2**31 - 1),
    ("RCVTIMEO", -1),
    ("RCVTIMEO", 0),
    ("RCVTIMEO", 1500),
    ("RECONNECT_IVL", -1),
    ("RECONNECT_IVL", 0),
    ("RECONNECT_IVL", 7),
    ("RECONNECT_IVL_MAX", 0),
    ("RECONNECT_IVL_MAX", 5000),
    ("SNDHWM", 0),
    ("SNDHWM", 2**31 - 1),
    ("SNDTIMEO", -1),
    ("SNDTIMEO", 77),
]
OUT_OF_BOUNDS = [
    ("BACKLOG", -1),
    ("IDENTITY", b""),
    ("IDENTITY", b"x" * 256),
    ("IMMEDIATE", 2),
    ("IMMEDIATE", -1),
    ("LINGER", -2),
    ("RCVHWM", -1),
    ("RCVTIMEO", -2),
    ("RECONNECT_IVL", -2),
    ("RECONNECT_IVL_MAX", -1),
    ("SNDHWM", -1),
    ("SNDTIMEO", -2),
]
TYPES = ["PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB"]
READ_ONLY = [("EVENTS", 1), ("FD", 1), ("RCVMORE", 1), ("TYPE", 1), ("LAST_ENDPOINT", b"x")]


@pytest.mark.parametrize(("name", "number"), NUMBERS.items())
def test_numbers_are_libzmqs(name: str, number: int) -> None:
    assert getattr(zmq, name) == number


@pytest.mark.parametrize(("name", "default"), DEFAULTS.items())
def test_defaults(context: Context, name: str, default: int | bytes) -> None:
    with context.socket(zmq.DEALER) as socket:
        assert socket.getsockopt(getattr(zmq, name)) == default


@pytest.mark.parametrize(("name", "value"), GOOD)
def test_a_good_value_can_be_set_in_every_way(
    sockets: SocketFactory, name: str, value: int | bytes
) -> None:
    option = getattr(zmq, name)
    ways: list[Callable[[Socket], object]] = [
        lambda socket: socket.setsockopt(option, value),
        lambda socket: socket.set(option, value),
        lambda socket: setattr(socket, name, value),
        lambda socket: setattr(socket, name.lower(), value),
    ]
    for set_it in ways:
        socket = sockets.open(zmq.DEALER)
        set_it(socket)
        assert socket.getsockopt(option) == value
        assert socket.get(option) == value
        assert getattr(socket, name) == value
        assert getattr(socket, name.lower()) == value


@pytest.mark.parametrize(("name", "value"), OUT_OF_BOUNDS)
def test_a_value_out_of_bounds_is_refused(
    sockets: SocketFactory, name: str, value: int | bytes
) -> None:
    socket = sockets.open(zmq.DEALER)
    before = socket.get(getattr(zmq, name))
    with pytest.raises(zmq.ZMQError) as caught:
        socket.setsockopt(getattr(zmq, name), value)
    assert caught.value.errno == zmq.EINVAL
    assert socket.get(getattr(zmq, name)) == before


@ours_better("the message names the option and the value")
@pytest.mark.parametrize(("name", "value"), OUT_OF_BOUNDS)
def test_a_refusal_says_what_was_wrong(
    sockets: SocketFactory, name: str, value: int | bytes
) -> None:
    socket = sockets.open(zmq.DEALER)
    with pytest.raises(zmq.ZMQError) as caught:
        socket.setsockopt(getattr(zmq, name), value)
    # IDENTITY and ROUTING_ID are two names of one option.
    assert name in str(caught.value) or "ROUTING_ID" in str(caught.value)
    assert isinstance(value, bytes) or str(value) in str(caught.value)


@pytest.mark.parametrize(("name", "value"), READ_ONLY)
def test_what_can_only_be_read(sockets: SocketFactory, name: str, value: int | bytes) -> None:
    with pytest.raises(zmq.ZMQError) as caught:
        sockets.open(zmq.DEALER).setsockopt(getattr(zmq, name), value)
    assert caught.value.errno == zmq.EINVAL


@pytest.mark.parametrize("name", ["SUBSCRIBE", "UNSUBSCRIBE"])
def test_what_can_only_be_set(sockets: SocketFactory, name: str) -> None:
    with pytest.raises(zmq.ZMQError) as caught:
        sockets.open(zmq.SUB).getsockopt(getattr(zmq, name))
    assert caught.value.errno == zmq.EINVAL


def test_an_unknown_number(sockets: SocketFactory) -> None:
    socket = sockets.open(zmq.DEALER)
    with pytest.raises(zmq.ZMQError) as caught:
        socket.setsockopt(9999, 1)
    assert caught.value.errno == zmq.EINVAL
    with pytest.raises(zmq.ZMQError) as caught:
        socket.getsockopt(9999)
    assert caught.value.errno == zmq.EINVAL


def test_an_unknown_name(sockets: SocketFactory) -> None:
    socket = sockets.open(zmq.DEALER)
    with pytest.raises(AttributeError):
        socket.nonsense = 1
    with pytest.raises(AttributeError):
        _ = socket.nonsense


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LINGER", b"1"),
        ("LINGER", "1"),
        ("LINGER", 1.5),
        ("LINGER", None),
        ("SNDHWM", [1]),
        ("AFFINITY", b"1"),
        ("IDENTITY", 1),
        ("IDENTITY", "text"),
        ("IDENTITY", None),
    ],
)
def test_a_value_of_the_wrong_type(sockets: SocketFactory, name: str, value: object) -> None:
    socket = sockets.open(zmq.DEALER)
    before = socket.get(getattr(zmq, name))
    with pytest.raises(TypeError):
        socket.setsockopt(getattr(zmq, name), value)
    assert socket.get(getattr(zmq, name)) == before


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 2**64])
def test_an_int_that_does_not_fit(sockets: SocketFactory, value: int) -> None:
    with pytest.raises((OverflowError, zmq.ZMQError)):
        sockets.open(zmq.DEALER).setsockopt(zmq.SNDHWM, value)


def test_text_goes_through_the_string_calls(sockets: SocketFactory) -> None:
    socket = sockets.open(zmq.DEALER)
    socket.set_string(zmq.IDENTITY, "größe")
    assert socket.getsockopt(zmq.IDENTITY) == "größe".encode()
    assert socket.get_string(zmq.IDENTITY) == "größe"
    socket.setsockopt_string(zmq.IDENTITY, "größe", encoding="latin-1")
    assert socket.getsockopt(zmq.IDENTITY) == "größe".encode("latin-1")
    assert socket.getsockopt_string(zmq.IDENTITY, encoding="latin-1") == "größe"
    with pytest.raises(TypeError):
        socket.set_string(zmq.IDENTITY, b"bytes")


def test_both_marks_at_once(sockets: SocketFactory) -> None:
    socket = sockets.open(zmq.DEALER)
    socket.hwm = 7
    assert (socket.sndhwm, socket.rcvhwm, socket.hwm) == (7, 7, 7)
    socket.set_hwm(8)
    assert (socket.sndhwm, socket.rcvhwm, socket.get_hwm()) == (8, 8, 8)


@pytest.mark.parametrize(
    ("name", "number"),
    [(name, number) for number, name in enumerate(TYPES)],
)
def test_the_type(sockets: SocketFactory, name: str, number: int) -> None:
    socket = sockets.open(getattr(zmq, name))
    assert getattr(zmq, name) == number
    assert socket.getsockopt(zmq.TYPE) == number
    assert socket.type == number


@pytest.mark.parametrize("number", [99, 1000])
def test_an_unknown_type(context: Context, number: int) -> None:
    with pytest.raises(zmq.ZMQError) as caught:
        context.socket(number)
    assert caught.value.errno == zmq.EINVAL


def test_events_tell_what_can_be_done(link: Link) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    assert near.poll(None, zmq.POLLOUT)
    assert near.get(zmq.EVENTS) == zmq.POLLOUT
    far.send(b"x")
    near.poll(None, zmq.POLLIN)
    assert near.get(zmq.EVENTS) == zmq.POLLIN | zmq.POLLOUT
    near.recv()
    assert near.get(zmq.EVENTS) == zmq.POLLOUT


def test_more_belongs_to_the_message_received_last(link: Link) -> None:
    pull, push = link.pair(zmq.PULL, zmq.PUSH)
    assert pull.rcvmore == 0
    push.send_multipart([b"a", b"b"])
    pull.recv()
    assert pull.rcvmore == 1
    with pytest.raises(zmq.ZMQError):
        push.recv(zmq.NOBLOCK)
    pull.recv()
    assert pull.rcvmore == 0


def test_context_gives_its_sockets_their_defaults(context: Context) -> None:
    context.linger = 0
    context.setsockopt(zmq.SNDHWM, 11)
    context.rcvtimeo = 5
    with context.socket(zmq.PUSH) as socket:
        assert (socket.linger, socket.sndhwm, socket.rcvtimeo) == (0, 11, 5)
        # Later changes leave the sockets that exist alone.
        context.sndhwm = 12
        assert socket.sndhwm == 11
    assert context.getsockopt(zmq.SNDHWM) == 12


def test_a_default_that_a_type_has_no_use_for_is_passed_over(context: Context) -> None:
    context.setsockopt(zmq.SUBSCRIBE, b"topic")
    context.linger = 0
    with context.socket(zmq.XPUB) as pub, context.socket(zmq.SUB) as sub:
        pub.bind("inproc://topics")
        sub.connect("inproc://topics")
        assert pub.poll(10_000)
        assert pub.recv() == b"\x01topic"


def test_options_of_the_context(context: Context) -> None:
    assert context.get(zmq.IO_THREADS) == 1
    assert context.get(zmq.MAX_SOCKETS) == 1023
    context.set(zmq.IO_THREADS, 2)
    context.set(zmq.MAX_SOCKETS, 5)
    assert context.get(zmq.IO_THREADS) == 2
    assert context.get(zmq.MAX_SOCKETS) == 5
    assert context.get(zmq.SOCKET_LIMIT) >= 1023
    for option, value in ((zmq.IO_THREADS, -1), (zmq.MAX_SOCKETS, 0), (9999, 1)):
        with pytest.raises(zmq.ZMQError) as caught:
            context.set(option, value)
        assert caught.value.errno == zmq.EINVAL
    with pytest.raises(zmq.ZMQError) as caught:
        context.get(9999)
    assert caught.value.errno == zmq.EINVAL


def test_no_more_sockets_than_allowed(context: Context) -> None:
    context.set(zmq.MAX_SOCKETS, 3)
    made = [context.socket(zmq.PAIR) for _ in range(3)]
    with pytest.raises(zmq.ZMQError) as caught:
        context.socket(zmq.PAIR)
    assert caught.value.errno == errno.EMFILE
    for socket in made:
        socket.close(linger=0)
