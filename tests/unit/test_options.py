"""What one socket holds for its options, how values are checked, and what refusals say.

That an option has its effect is shown by a test of its own, elsewhere.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shmzmq.constants import EINVAL, SocketOption, SocketType
from shmzmq.errors import ZMQError
from shmzmq.options import OPTIONS, OptionValues
from shmzmq.options.bounds import Bounds, Length, Range, decode_z85

O = SocketOption  # noqa: E741
T = SocketType


@pytest.fixture(scope="module")
def libzmq() -> Any:
    return pytest.importorskip("zmq")


def refused(values: OptionValues, number: int, value: Any) -> bool:
    """Whether a value is refused with EINVAL."""
    try:
        values.set(number, value)
    except ZMQError as raised:
        return raised.errno == EINVAL
    return False


# Values


def test_gssapi_as_a_client_is_still_gssapi() -> None:
    values = OptionValues(T.DEALER)
    values.set(O.GSSAPI_SERVER, 1)
    assert (values.get(O.MECHANISM), values.get(O.GSSAPI_SERVER)) == (3, 1)
    values.set(O.GSSAPI_SERVER, 0)
    assert (values.get(O.MECHANISM), values.get(O.GSSAPI_SERVER)) == (3, 0)


def test_none_ends_a_user_name_and_its_mechanism() -> None:
    values = OptionValues(T.DEALER)
    values.set(O.PLAIN_USERNAME, b"anna")
    assert values.get(O.MECHANISM) == 1
    assert values.set(O.PLAIN_USERNAME, None) is None
    assert (values.get(O.MECHANISM), values.get(O.PLAIN_USERNAME)) == (0, b"")


def test_ipv6_and_ipv4only_are_one_switch() -> None:
    values = OptionValues(T.PUSH)
    values.set(O.IPV6, 1)
    assert (values.get(O.IPV6), values.get(O.IPV4ONLY)) == (1, 0)
    values.set(O.IPV4ONLY, 1)
    assert (values.get(O.IPV6), values.get(O.IPV4ONLY)) == (0, 1)


def test_what_an_xpub_passes_on() -> None:
    values = OptionValues(T.XPUB)
    verbosity = (O.XPUB_VERBOSE, O.XPUB_VERBOSER, O.XPUB_VERBOSE_UNSUBSCRIBE)
    values.set(O.XPUB_VERBOSER, 1)
    assert [values[number] for number in verbosity] == [1, 1, 0]
    values.set(O.XPUB_VERBOSE, 1)
    assert [values[number] for number in verbosity] == [1, 0, 0]
    values.set(O.XPUB_VERBOSE_UNSUBSCRIBE, 1)
    assert [values[number] for number in verbosity] == [1, 0, 1]


def test_an_xpub_takes_subscribe_in_manual_mode_only() -> None:
    values = OptionValues(T.XPUB)
    with pytest.raises(ZMQError, match="SUBSCRIBE on XPUB needs XPUB_MANUAL = 1") as caught:
        values.set(O.SUBSCRIBE, b"a")
    assert caught.value.errno == EINVAL
    values.set(O.XPUB_MANUAL_LAST_VALUE, 1)
    assert values[O.XPUB_MANUAL] == 1
    assert values.set(O.SUBSCRIBE, b"a") == b"a"
    values.set(O.XPUB_MANUAL, 0)
    with pytest.raises(ZMQError):
        values.set(O.UNSUBSCRIBE, b"a")


def test_filters_and_properties_add_up_until_none_clears_them() -> None:
    values = OptionValues(T.PULL)
    for user in (0, 1000, 2**32 - 1):
        values.set(O.IPC_FILTER_UID, user)
    assert values[O.IPC_FILTER_UID] == (0, 1000, 2**32 - 1)
    values.set(O.IPC_FILTER_UID, None)
    assert values[O.IPC_FILTER_UID] == ()
    values.set(O.TCP_ACCEPT_FILTER, b"10.0.0.0/8\0")
    values.set(O.TCP_ACCEPT_FILTER, b"2001:db8::/32")
    assert values[O.TCP_ACCEPT_FILTER] == (b"10.0.0.0/8", b"2001:db8::/32")
    values.set(O.METADATA, b"X-color:red:ish")
    assert values[O.METADATA] == (b"X-color:red:ish",)


def test_a_routing_id_for_the_next_connect_is_used_once() -> None:
    values = OptionValues(T.ROUTER)
    values.set(O.CONNECT_ROUTING_ID, b"first")
    assert values.take(O.CONNECT_ROUTING_ID) == b"first"
    assert values.take(O.CONNECT_ROUTING_ID) == b""
    with pytest.raises(ZMQError, match="the first not zero"):
        values.set(O.CONNECT_ROUTING_ID, b"\0abc")


def test_subscribing_is_an_act_and_not_a_value() -> None:
    values = OptionValues(T.SUB)
    assert values.set(O.SUBSCRIBE, b"") == b""
    assert values.set(O.UNSUBSCRIBE, b"a") == b"a"
    assert values.snapshot() == {}


def test_a_key_is_held_as_its_bytes_however_it_was_written(libzmq: Any) -> None:
    from zmq.utils import z85

    public, secret = libzmq.curve_keypair()
    values = OptionValues(T.REQ)
    for written in (public, public + b"\0", z85.decode(public)):
        assert values.set(O.CURVE_PUBLICKEY, written) == z85.decode(public)
    values.set(O.CURVE_SECRETKEY, secret)
    assert values.get(O.CURVE_SECRETKEY) == z85.decode(secret)


def test_z85_of_the_rfc() -> None:
    assert decode_z85(b"HelloWorld") == bytes.fromhex("864fd26fb559f75b")
    assert decode_z85(b"") == b""
    for wrong in (b"Hello,Worl", b"Hell", b"#####", b"Hell\xff", b"Hell "):
        assert decode_z85(wrong) is None, wrong


@given(st.binary(max_size=64).filter(lambda data: len(data) % 4 == 0))
def test_z85_is_read_as_pyzmq_writes_it(data: bytes) -> None:
    z85 = pytest.importorskip("zmq.utils.z85")
    assert decode_z85(z85.encode(data)) == data


def test_a_string_of_c_may_end_in_a_zero_byte() -> None:
    values = OptionValues(T.REQ)
    assert values.set(O.PLAIN_USERNAME, b"anna\0") == b"anna"
    for wrong in (b"\0", b"an\0na", b"anna\0\0"):
        assert refused(values, O.PLAIN_USERNAME, wrong)


def test_numbers_are_held_as_the_option_rounds_them() -> None:
    values = OptionValues(T.PUB)
    assert values.set(O.HEARTBEAT_TTL, 6_553_599) == 6_553_500
    assert values.set(O.INVERT_MATCHING, -5) == 1
    assert values.set(O.XPUB_NODROP, 7) == 1
    assert type(values.set(O.IMMEDIATE, True)) is int
    assert type(values.set(O.LINGER, T.PUSH)) is int


@given(low=st.integers(), size=st.integers(0), step=st.integers(1, 1000), value=st.integers())
def test_a_range_takes_what_lies_in_it(low: int, size: int, step: int, value: int) -> None:
    fitted = Range(low, low + size, step=step, without=(low + 1,)).fit(value)
    assert (fitted is None) == (not low <= value <= low + size or value == low + 1)
    assert fitted is None or (fitted % step == 0 and 0 <= value - fitted < step)


@given(st.binary(max_size=20), st.integers(0, 10), st.integers(0, 10))
def test_a_length_takes_as_many_bytes(value: bytes, low: int, more: int) -> None:
    fits = low <= len(value) <= low + more
    assert Length(low, low + more).fit(value) == (value if fits else None)


def test_a_bound_that_says_nothing_is_an_error() -> None:
    with pytest.raises(NotImplementedError, match="Bounds does not say"):
        Bounds().fit(1)


# One socket


def test_a_new_socket_has_the_defaults() -> None:
    values = OptionValues(T.PUSH)
    assert values.get(O.LINGER) == 30_000
    assert values.get(O.SNDHWM) == 1000
    assert values.get(O.TYPE) == 8
    assert type(values.get(O.TYPE)) is int
    assert values[O.IPC_FILTER_UID] == ()
    assert O.LINGER not in values
    assert values.snapshot() == {}


def test_what_was_set_is_what_is_read() -> None:
    values = OptionValues(8)
    assert values.set(O.LINGER, 250) == 250
    assert values.get(17) == values[O.LINGER] == 250
    assert O.LINGER in values
    assert OptionValues(8).get(O.LINGER) == 30_000


def test_a_socket_notes_what_it_knows() -> None:
    values = OptionValues(T.PULL)
    assert (values.get(O.LAST_ENDPOINT), values.get(O.RCVMORE)) == (b"", 0)
    values.note(O.LAST_ENDPOINT, b"ipc:///tmp/a")
    values.note(O.RCVMORE, 1)
    assert (values.get(O.LAST_ENDPOINT), values.get(O.RCVMORE)) == (b"ipc:///tmp/a", 1)
    assert values.snapshot() == {}


def test_a_snapshot_makes_an_equal_object() -> None:
    values = OptionValues(T.ROUTER)
    values.set(O.IDENTITY, b"\0\xffme")
    values.set(O.IPC_FILTER_UID, 1000)
    values.set(O.ROUTER_MANDATORY, 1)
    values.set(O.PLAIN_SERVER, 1)
    snapshot = values.snapshot()
    assert snapshot == {
        "ROUTING_ID": b"\0\xffme",
        "IPC_FILTER_UID": (1000,),
        "ROUTER_MANDATORY": 1,
        "PLAIN_SERVER": 1,
        "CURVE_SERVER": 0,
        "GSSAPI_SERVER": 0,
        "MECHANISM": 1,
    }
    copy = OptionValues.restored(T.ROUTER, snapshot)
    assert copy.snapshot() == snapshot
    assert [copy[spec.number] for spec in OPTIONS] == [values[spec.number] for spec in OPTIONS]
    copy.set(O.IPC_FILTER_UID, 1001)
    assert values[O.IPC_FILTER_UID] == (1000,)


def test_a_snapshot_with_an_unknown_name_is_refused() -> None:
    with pytest.raises(KeyError, match="WARP_SPEED"):
        OptionValues.restored(T.PUSH, {"WARP_SPEED": 9})


# Messages

REFUSED = [
    (T.PUSH, O.LINGER, -5, "LINGER takes an int from -1 to 2147483647 (milliseconds), not -5"),
    (
        T.PUSH,
        O.SNDHWM,
        2**31,
        "SNDHWM takes an int from 0 to 2147483647 (messages), not 2147483648",
    ),
    (T.PUSH, O.IMMEDIATE, 2, "IMMEDIATE takes 0 or 1, not 2"),
    (T.PUSH, O.TCP_KEEPALIVE, 2, "TCP_KEEPALIVE takes -1, 0 or 1, not 2"),
    (
        T.PUSH,
        O.TCP_KEEPALIVE_CNT,
        0,
        "TCP_KEEPALIVE_CNT takes an int from -1 to 2147483647, not 0 (probes), not 0",
    ),
    (T.REQ, O.IDENTITY, b"", "ROUTING_ID (IDENTITY) takes 1 to 255 bytes, not b''"),
    (
        T.REQ,
        O.IDENTITY,
        b"x" * 256,
        "ROUTING_ID (IDENTITY) takes 1 to 255 bytes, not these 256 bytes",
    ),
    (T.PUSH, O.SUBSCRIBE, b"a", "SUBSCRIBE is for SUB, XPUB sockets, not PUSH"),
    (T.PUSH, O.TYPE, 3, "TYPE can only be read, not set to 3"),
    (
        T.PUSH,
        O.HWM,
        3,
        "socket option HWM (1) is not offered; expected a number of shmzmq.options.OPTIONS",
    ),
    (
        T.PUSH,
        9999,
        3,
        "socket option 9999 is unknown; expected a number of shmzmq.options.OPTIONS",
    ),
]


@pytest.mark.parametrize(("socket_type", "number", "value", "message"), REFUSED)
def test_a_refusal_names_the_option_the_value_and_what_it_takes(
    socket_type: SocketType, number: int, value: Any, message: str
) -> None:
    with pytest.raises(ZMQError) as caught:
        OptionValues(socket_type).set(number, value)
    assert caught.value.errno == EINVAL
    assert str(caught.value) == message


def test_a_refused_value_changes_nothing() -> None:
    values = OptionValues(T.PUSH)
    values.set(O.LINGER, 5)
    before = values.snapshot()
    for number, value in [(O.LINGER, -2), (O.CURVE_PUBLICKEY, b"short"), (O.SUBSCRIBE, b"")]:
        assert refused(values, number, value)
    assert values.snapshot() == before


@pytest.mark.parametrize("number", [O.PLAIN_PASSWORD, O.CURVE_SECRETKEY, O.SOCKS_PASSWORD])
def test_a_secret_stands_in_no_message(number: SocketOption) -> None:
    secret = "s3cret"
    for value in (secret, secret.encode() * 50, secret.encode() + b"\0x"):
        with pytest.raises((ZMQError, TypeError)) as caught:
            OptionValues(T.REQ).set(number, value)
        assert secret not in str(caught.value)
        assert number.name in str(caught.value)


def test_a_string_is_pointed_to_set_string() -> None:
    with pytest.raises(
        TypeError, match=r"ROUTING_ID \(IDENTITY\) takes bytes, not str 'me' \(set_string"
    ):
        OptionValues(T.REQ).set(O.IDENTITY, "me")


def test_reading_what_can_only_be_set_is_refused() -> None:
    with pytest.raises(ZMQError, match="ROUTER_MANDATORY can only be set, not read") as caught:
        OptionValues(T.ROUTER).get(O.ROUTER_MANDATORY)
    assert caught.value.errno == EINVAL
    with pytest.raises(ZMQError, match="TOPICS_COUNT is for PUB, SUB, XPUB, XSUB sockets"):
        OptionValues(T.PUSH).get(O.TOPICS_COUNT)
    with pytest.raises(KeyError):
        OptionValues(T.PUSH)[9999]


def test_what_is_no_number_is_no_option() -> None:
    with pytest.raises(TypeError, match="a socket option is an int, not str 'linger'"):
        OptionValues(T.PUSH).set("linger", 5)  # type: ignore[arg-type]


def test_a_number_that_is_no_socket_type_is_refused() -> None:
    with pytest.raises(
        ZMQError, match="77 is no socket type; expected a number of SocketType, 0 to 20"
    ) as caught:
        OptionValues(77)
    assert caught.value.errno == EINVAL
