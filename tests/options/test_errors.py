"""Errors: "EINVAL: The requested option *option_name* is unknown, or the requested *option_len* or
*option_value* is invalid." Ours name the option and say what it takes, and change nothing.

A sweep: any value for any option of any socket type.
"""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.library import ours_better, zmq
from support.waiting import wait_for

from shmzmq.options import BY_NUMBER

pytestmark = ours_better("pyzmq says 'Invalid argument' only, and packs some values as others")

INT_MAX = 2**31 - 1
TYPES = [
    getattr(zmq, name)
    for name in (
        *("PAIR", "PUB", "SUB", "REQ", "REP", "DEALER"),
        *("ROUTER", "PULL", "PUSH", "XPUB", "XSUB", "STREAM"),
    )
]
OPTIONS = [zmq.SocketOption(number) for number in BY_NUMBER]
# What is set acts there and then, and is no value that could be read.
ACTS = {zmq.SUBSCRIBE, zmq.UNSUBSCRIBE}
numbers = st.one_of(
    st.integers(),
    st.integers(-3, 300),
    st.sampled_from([-INT_MAX - 2, -INT_MAX - 1, INT_MAX, INT_MAX + 1, 2**63, 2**64 - 1, 2**64]),
)
octets = st.one_of(st.binary(max_size=40), st.sampled_from([bytes(255), bytes(256), b"\xff" * 41]))
values = st.one_of(
    numbers,
    octets,
    st.booleans(),
    st.text(max_size=10),
    st.none(),
    st.floats(),
    st.lists(st.integers(), max_size=2),
)


@pytest.fixture(scope="module")
def sockets_of_types() -> Iterator[dict[int, Any]]:
    """A socket of each type, which keeps what it is told from one example to the next."""
    context = zmq.Context()
    sockets = {kind: context.socket(kind) for kind in TYPES}
    for socket in sockets.values():
        socket.linger = 0
    yield sockets
    context.destroy(linger=0)


def readable(socket: Any) -> dict[int, Any]:
    """Return the value of every option that can be read; but for two, which are asked of."""
    found = {}
    for option in OPTIONS:
        if option in (zmq.FD, zmq.EVENTS):
            continue  # to read them is to use the descriptor
        try:
            found[option] = socket.get(option)
        except zmq.ZMQError:
            continue
    return found


def refusal(socket: Any, option: int, value: Any) -> Any:
    """Set the option; return the error that this raised, None when the value was taken."""
    try:
        socket.set(option, value)
    except (zmq.ZMQError, TypeError) as error:
        return error
    return None


@settings(max_examples=400, deadline=None)
@given(kind=st.sampled_from(TYPES), option=st.sampled_from(OPTIONS), value=values)
@example(kind=zmq.ROUTER, option=zmq.ROUTING_ID, value=b"")
@example(kind=zmq.XPUB, option=zmq.SUBSCRIBE, value=b"")
@example(kind=zmq.PUB, option=zmq.LINGER, value=-2)
@example(kind=zmq.PUSH, option=zmq.TYPE, value=1)
@example(kind=zmq.REQ, option=zmq.CURVE_SECRETKEY, value=b"too short")
def test_a_value_refused_is_told_of_and_changes_nothing(
    sockets_of_types: dict[int, Any], kind: int, option: Any, value: Any
) -> None:
    socket = sockets_of_types[kind]
    before = readable(socket)
    refused = refusal(socket, option, value)
    if refused is None:
        assert isinstance(value, int | bytes) or value is None
        if option in before and option not in ACTS:
            assert type(socket.get(option)) is type(before[option])
        return
    text = str(refused)
    names = {name for name, number in zmq.SocketOption.__members__.items() if number == option}
    assert any(name in text for name in names), text
    assert isinstance(refused, TypeError) or refused.errno == zmq.EINVAL
    assert any(word in text for word in ("takes", "can only be", "is for", "needs", "not ")), text
    assert readable(socket) == before


@pytest.mark.parametrize("name", ["IDENTITY", "ROUTING_ID"])
def test_both_names_are_said_where_a_manual_has_another(
    sockets_of_types: dict[int, Any], name: str
) -> None:
    refused = refusal(sockets_of_types[zmq.DEALER], getattr(zmq, name), b"")
    assert str(refused).startswith("ROUTING_ID (IDENTITY) takes 1 to 255 bytes, not b''")


@given(option=st.integers().filter(lambda number: number not in OPTIONS), value=values)
def test_an_unknown_option_is_named_by_its_number(
    sockets_of_types: dict[int, Any], option: int, value: Any
) -> None:
    socket = sockets_of_types[zmq.DEALER]
    before = readable(socket)
    refused = refusal(socket, option, value)
    assert isinstance(refused, zmq.ZMQError if isinstance(value, int) else TypeError)
    assert str(option) in str(refused)
    with pytest.raises(zmq.ZMQError) as failure:
        socket.get(option)
    assert failure.value.errno == zmq.EINVAL
    assert str(option) in str(failure.value)
    assert readable(socket) == before


@given(option=st.sampled_from([zmq.CURVE_SECRETKEY, zmq.PLAIN_PASSWORD]), value=octets | numbers)
def test_secrets_stand_in_no_error(
    sockets_of_types: dict[int, Any], option: Any, value: Any
) -> None:
    refused = refusal(sockets_of_types[zmq.DEALER], option, value)
    shown = repr(value)
    assert len(shown) < 6 or shown not in str(refused)


@pytest.mark.parametrize("kind", TYPES)
def test_a_closed_socket_is_none(kind: int) -> None:
    with zmq.Context() as context:
        socket = context.socket(kind)
        socket.close()
        for call in (lambda: socket.set(zmq.LINGER, 1), lambda: socket.get(zmq.LINGER)):
            with pytest.raises(zmq.ZMQError) as failure:
                call()
            assert failure.value.errno == zmq.ENOTSOCK


@pytest.mark.parametrize("kind", TYPES)
def test_the_end_of_the_context_is_told_as_such(kind: int) -> None:
    context = zmq.Context()
    socket = context.socket(kind)
    ending = threading.Thread(target=context.term)
    ending.start()
    try:
        wait_for(lambda: isinstance(refusal(socket, zmq.LINGER, 1), zmq.ContextTerminated), "ETERM")
        with pytest.raises(zmq.ContextTerminated):
            socket.get(zmq.LINGER)
    finally:
        socket.close()
        ending.join()
