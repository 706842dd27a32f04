"""The option table: against the two manuals, and against what libzmq takes and answers."""

import re
from collections.abc import Iterator
from errno import errorcode
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shmzmq.constants import SocketOption, SocketType, ValueType
from shmzmq.options import BY_NAME, BY_NUMBER, OPTIONS, OptionSpec, OptionValues, find
from shmzmq.options.bounds import CurveKey
from shmzmq.options.reference import page
from shmzmq.options.spec import ALL_SOCKETS

O = SocketOption  # noqa: E741
T = SocketType

# Name, default, and the socket types it is for, of every option that zmq_setsockopt(3) of 4.2.2 or
# of 4.2-dev describes. That SUBSCRIBE is for XPUB too stands under XPUB_MANUAL.
MANUALS = """
AFFINITY 0 | BACKLOG 100 | CONNECT_RID b'' ROUTER,STREAM | CONFLATE 0 PULL,PUSH,SUB,PUB,DEALER
CONNECT_TIMEOUT 0 | CURVE_PUBLICKEY b'' | CURVE_SECRETKEY b'' | CURVE_SERVER 0
CURVE_SERVERKEY b'' | GSSAPI_PLAINTEXT 0 | GSSAPI_PRINCIPAL b'' | GSSAPI_SERVER 0
GSSAPI_SERVICE_PRINCIPAL b'' | HANDSHAKE_IVL 30000 -STREAM | HEARTBEAT_IVL 0
HEARTBEAT_TIMEOUT 0 | HEARTBEAT_TTL 0 | IDENTITY b'' REQ,REP,ROUTER,DEALER | IMMEDIATE 0
INVERT_MATCHING 0 PUB,XPUB,SUB | IPV6 0 | LINGER 30000 | MAXMSGSIZE -1 | MULTICAST_HOPS 1
MULTICAST_MAXTPDU 1500 | PLAIN_PASSWORD b'' | PLAIN_SERVER 0 | PLAIN_USERNAME b''
PRE_ALLOCATED_FD -1 | PROBE_ROUTER 0 ROUTER,DEALER,REQ | RATE 100 | RCVBUF -1 | RCVHWM 1000
RCVTIMEO -1 | RECONNECT_IVL 100 | RECONNECT_IVL_MAX 0 | RECOVERY_IVL 10000
REQ_CORRELATE 0 REQ | REQ_RELAXED 0 REQ | ROUTER_HANDOVER 0 ROUTER | ROUTER_MANDATORY 0 ROUTER
ROUTER_RAW 0 ROUTER | SNDBUF -1 | SNDHWM 1000 | SNDTIMEO -1 | STREAM_NOTIFY 1 STREAM
SUBSCRIBE None SUB,XPUB | TCP_KEEPALIVE -1 | TCP_KEEPALIVE_CNT -1 | TCP_KEEPALIVE_IDLE -1
TCP_KEEPALIVE_INTVL -1 | TCP_RETRANSMIT_TIMEOUT 0 | TOS 0 | UNSUBSCRIBE None SUB,XPUB
XPUB_VERBOSE 0 XPUB | XPUB_VERBOSE_UNSUBSCRIBE 0 XPUB | XPUB_MANUAL 0 XPUB
XPUB_NODROP 0 XPUB,PUB | XPUB_WELCOME_MSG b'' XPUB | ZAP_DOMAIN b'' | TCP_ACCEPT_FILTER ()
IPC_FILTER_GID () | IPC_FILTER_PID () | IPC_FILTER_UID () | IPV4ONLY 1 | TCP_RECV_BUFFER 8192
TCP_SEND_BUFFER 8192 | VMCI_BUFFER_SIZE 65546 | VMCI_BUFFER_MIN_SIZE 128
VMCI_BUFFER_MAX_SIZE 262144 | VMCI_CONNECT_TIMEOUT -1 | USE_FD -1 | SOCKS_PROXY b''
TCP_MAXRT 0 | XPUB_VERBOSER 0 XPUB
"""
MANUAL_ROWS = [row.split() for row in MANUALS.strip().replace("\n", " | ").split(" | ")]

# Those that act on connections there are already, by the manuals; all others need not.
AT_ONCE = (
    "SUBSCRIBE UNSUBSCRIBE LINGER ROUTER_HANDOVER ROUTER_MANDATORY PROBE_ROUTER XPUB_VERBOSE "
    "XPUB_VERBOSE_UNSUBSCRIBE XPUB_VERBOSER REQ_CORRELATE REQ_RELAXED SNDHWM RCVHWM"
)
IN_EFFECT = {
    "0.1": (
        "LINGER SNDHWM RCVHWM SNDTIMEO RCVTIMEO ROUTING_ID SUBSCRIBE UNSUBSCRIBE IMMEDIATE RCVMORE "
        "TYPE EVENTS FD LAST_ENDPOINT AFFINITY BACKLOG RECONNECT_IVL RECONNECT_IVL_MAX"
    ),
    "0.2": (
        "INVERT_MATCHING XPUB_VERBOSE XPUB_VERBOSER XPUB_VERBOSE_UNSUBSCRIBE XPUB_MANUAL "
        "XPUB_MANUAL_LAST_VALUE XPUB_NODROP XPUB_WELCOME_MSG ONLY_FIRST_SUBSCRIBE "
        "XSUB_VERBOSE_UNSUBSCRIBE TOPICS_COUNT ROUTER_MANDATORY ROUTER_HANDOVER ROUTER_NOTIFY "
        "PROBE_ROUTER CONNECT_ROUTING_ID REQ_CORRELATE REQ_RELAXED MAXMSGSIZE METADATA HELLO_MSG "
        "DISCONNECT_MSG HICCUP_MSG THREAD_SAFE CONFLATE "
        "SNDBUF RCVBUF TCP_SEND_BUFFER TCP_RECV_BUFFER OUT_BATCH_SIZE IN_BATCH_SIZE IPV6 IPV4ONLY "
        "CONNECT_TIMEOUT TCP_MAXRT TCP_KEEPALIVE TCP_KEEPALIVE_CNT TCP_KEEPALIVE_IDLE "
        "TCP_KEEPALIVE_INTVL TOS PRIORITY BUSY_POLL BINDTODEVICE TCP_ACCEPT_FILTER SOCKS_PROXY "
        "SOCKS_USERNAME SOCKS_PASSWORD USE_FD IPC_FILTER_UID IPC_FILTER_GID IPC_FILTER_PID "
        "ROUTER_RAW STREAM_NOTIFY HANDSHAKE_IVL HEARTBEAT_IVL HEARTBEAT_TIMEOUT HEARTBEAT_TTL"
    ),
}

INTS = [-(2**31), -2, -1, 0, 1, 2, 7, 8, 99, 255, 256, 6_553_599, 6_553_600, 2**31 - 1, True]
HUGE = {256, 6_553_599, 6_553_600, 2**31 - 1}
KEY = b"naItv.[a:dNsBn?26OF{[Kr1d*S!U}Zv<({&YYdE"
PROPERTIES = [b"X-a:b", b"X-a:", b"X-a", b"abc:de"]
FILTERS = [b"10.0.0.0/8", b"10.0.0.1", b"10.0.0.0/33", b"10.0.0.0/255.0.0.0", b"localhost"]
KEYS = [KEY, KEY + b"\0", KEY[:-1], b"~" * 40]
LENGTHS = [b"x" * length for length in (15, 16, 32, 40, 41, 254, 255, 256)]
BYTES = [b"", b"a", b"a\0b", *PROPERTIES, *FILTERS, *KEYS, *LENGTHS]

# What libzmq lets through, and the manuals, or plain sense, do not.
STRICTER: dict[str, set[Any]] = {
    "AFFINITY": {-(2**31), -2, -1},
    "MAXMSGSIZE": {-(2**31), -2},
    "MULTICAST_HOPS": HUGE,
    "TCP_KEEPALIVE_CNT": {0},
    "TCP_KEEPALIVE_IDLE": {0},
    "TCP_KEEPALIVE_INTVL": {0},
    "TOS": HUGE,
    "HEARTBEAT_TTL": {-2, -1},
    "RECONNECT_STOP": {-(2**31), -2, -1, 8, 99, 255, *HUGE},
    "IPC_FILTER_PID": {-(2**31), -2, -1},
    "IPC_FILTER_UID": {-(2**31), -2, -1},
    "IPC_FILTER_GID": {-(2**31), -2, -1},
    "PLAIN_USERNAME": {b"a\0b"},
    "PLAIN_PASSWORD": {b"a\0b"},
    "ZAP_DOMAIN": {b"a\0b"},
    "SOCKS_USERNAME": {b"a\0b"},
    "SOCKS_PASSWORD": {b"a\0b"},
    "SOCKS_PROXY": {b"a\0b"},
    "BINDTODEVICE": {b"a\0b", b"x" * 16},
    "CONNECT_ROUTING_ID": {b"x" * 256},
}
# Where the manuals' default is not libzmq's.
OTHER_DEFAULT = {"LINGER", "HEARTBEAT_TIMEOUT"}


def answer(call: Any, *args: Any) -> Any:
    """What a call returns, or the class or the errno's name of what it raises."""
    try:
        return call(*args)
    except TypeError:
        return TypeError
    except Exception as raised:
        return errorcode[raised.errno] if hasattr(raised, "errno") else raised


@pytest.fixture(scope="module")
def libzmq() -> Any:
    return pytest.importorskip("zmq")


@pytest.fixture(scope="module")
def context(libzmq: Any) -> Iterator[Any]:
    context = libzmq.Context()
    yield context
    context.destroy(linger=0)


def test_the_table_has_every_option_of_the_manuals() -> None:
    assert len(MANUAL_ROWS) == 75
    assert {row[0] for row in MANUAL_ROWS} <= BY_NAME.keys()


@pytest.mark.parametrize("row", MANUAL_ROWS, ids=lambda row: row[0])
def test_an_option_has_the_default_and_the_sockets_of_the_manual(row: list[str]) -> None:
    name, default, sockets = (*row, "")[:3]
    spec = BY_NAME[name]
    assert repr(spec.default) == default
    if sockets.startswith("-"):
        assert spec.sockets == ALL_SOCKETS - {SocketType[sockets[1:]]}
    elif sockets:
        assert spec.sockets == {SocketType[each] for each in sockets.split(",")}
    else:
        assert spec.sockets == ALL_SOCKETS


def test_the_options_act_at_once_that_the_manuals_say_do() -> None:
    for name in AT_ONCE.split():
        assert BY_NAME[name].takes_effect == "at once", name


def test_the_options_say_from_which_version_on_they_are_in_effect() -> None:
    for version, names in IN_EFFECT.items():
        assert {spec.name for spec in OPTIONS if spec.since == version} == set(names.split())
    assert {spec.since for spec in OPTIONS} == {None, *IN_EFFECT}


def test_an_option_is_found_by_number_and_by_each_of_its_names() -> None:
    assert len(BY_NUMBER) == len(OPTIONS) == len({spec.name for spec in OPTIONS})
    for spec in OPTIONS:
        assert find(int(spec.number)) is spec
        for name in (spec.name, *spec.aliases):
            assert BY_NAME[name] is spec
    assert BY_NAME["LINGER"].aliases == ()
    assert BY_NAME["IDENTITY"].name == "ROUTING_ID"
    assert set(find(O.ROUTER_MANDATORY).aliases) == {"FAIL_UNROUTABLE", "ROUTER_BEHAVIOR"}


@pytest.mark.parametrize("spec", OPTIONS, ids=lambda spec: spec.name)
def test_a_row_is_consistent(spec: OptionSpec) -> None:
    assert spec.doc.endswith(".")
    assert spec.sockets
    assert not spec.sockets & spec.ignored_by or spec.ignored_by == ALL_SOCKETS
    assert spec.writable == (spec.bounds is not None)
    assert spec.writable or spec.readable
    if spec.readable and spec.name != "TYPE":
        python_type = bytes if spec.type in (ValueType.BYTES, ValueType.TEXT) else int
        assert type(spec.default) is python_type
    if isinstance(spec.default, int) and spec.bounds is not None:
        assert spec.bounds.fit(spec.default) == spec.default
    assert (spec.keeps == "all") == (spec.default == ())
    assert spec.keeps != "all" or spec.access == "w"


def test_a_row_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        find(O.LINGER).default = 0  # type: ignore[misc]


def same_reading(ours: OptionValues, theirs: Any, spec: OptionSpec) -> bool:
    """Whether both answer the same to `get`."""
    read, expected = answer(ours.get, spec.number), answer(theirs.get, int(spec.number))
    if spec.name in OTHER_DEFAULT and spec.number not in ours:
        return True
    if spec.type is ValueType.TEXT and isinstance(expected, bytes):
        # libzmq keeps the zero byte that may end a string.
        expected = expected.removesuffix(b"\0")
    # pyzmq reads strings into 255 bytes, the zero byte counted, and keys not at all.
    unreadable = isinstance(read, bytes) and (len(read) >= 255 or isinstance(spec.bounds, CurveKey))
    return read == expected or (unreadable and expected == "EINVAL")


def differences(spec: OptionSpec, ours: OptionValues, theirs: Any) -> Iterator[tuple[Any, ...]]:
    """Set every value on both sockets; yield those that only one takes or that read differently."""
    for value in BYTES if spec.type in (ValueType.BYTES, ValueType.TEXT) else INTS:
        if value in STRICTER.get(spec.name, ()):
            continue
        expected = answer(theirs.set, int(spec.number), value)
        given = answer(ours.set, spec.number, value)
        if (given == "EINVAL") != (expected == "EINVAL"):
            yield ours.socket_type.name, value, given, expected
        elif spec.keeps != "live" and not same_reading(ours, theirs, spec):
            yield ours.socket_type.name, value, "read differently"


@pytest.mark.parametrize("spec", OPTIONS, ids=lambda spec: spec.name)
def test_a_socket_answers_as_libzmq_does(context: Any, spec: OptionSpec) -> None:
    """Each value on each socket type: taken or refused, and then read back, as by libzmq."""
    probe = context.socket(int(min(spec.sockets)))
    taken = [
        answer(probe.set, int(spec.number), value) for value in (1, b"10.0.0.1", KEY, b"X-a:b")
    ]
    probe.close(0)
    if spec.writable and None not in taken:
        pytest.skip("this libzmq was built without it")
    found: list[tuple[Any, ...]] = []
    for socket_type in list(T)[:12]:
        theirs = context.socket(int(socket_type))
        found += differences(spec, OptionValues(socket_type), theirs)
        theirs.close(0)
    assert found == []


@pytest.mark.parametrize(
    "spec", [spec for spec in OPTIONS if not spec.writable], ids=lambda spec: spec.name
)
def test_what_can_only_be_read_is_read_on_the_same_socket_types(
    context: Any, spec: OptionSpec
) -> None:
    for socket_type in list(T)[:12]:
        theirs = context.socket(int(socket_type))
        given = answer(OptionValues(socket_type).get, spec.number)
        assert type(given) is type(answer(theirs.get, int(spec.number)))
        assert (given == "EINVAL") == (answer(theirs.get, int(spec.number)) == "EINVAL")
        theirs.close(0)


@pytest.mark.parametrize("name", STRICTER)
def test_a_socket_refuses_what_is_stricter_here(context: Any, name: str) -> None:
    spec = BY_NAME[name]
    socket_type = min(spec.sockets)
    theirs = context.socket(int(socket_type))
    for value in STRICTER[name]:
        assert answer(theirs.set, int(spec.number), value) is None
        assert answer(OptionValues(socket_type).set, spec.number, value) == "EINVAL"
    theirs.close(0)


@pytest.mark.parametrize("spec", OPTIONS, ids=lambda spec: spec.name)
def test_a_wrong_python_type_is_a_type_error_as_in_pyzmq(context: Any, spec: OptionSpec) -> None:
    socket_type = min(spec.sockets)
    theirs = context.socket(int(socket_type))
    wrong: list[Any] = ["1", 1.0, [], bytearray(b"a"), memoryview(b"a")]
    wrong += [1] if spec.type in (ValueType.BYTES, ValueType.TEXT) else [b"1"]
    wrong += [] if spec.nullable else [None]
    for value in wrong:
        assert answer(theirs.set, int(spec.number), value) is TypeError
        with pytest.raises(TypeError, match=re.escape(spec.title) + " takes (int|bytes), not"):
            OptionValues(socket_type).set(spec.number, value)
    theirs.close(0)


def test_the_defaults_are_libzmqs_but_for_those_of_the_manuals(context: Any, libzmq: Any) -> None:
    socket = context.socket(libzmq.DEALER)
    different = set()
    for spec in OPTIONS:
        theirs = answer(socket.get, int(spec.number))
        if spec.readable and spec.keeps != "live" and theirs != "EINVAL":
            ours = OptionValues(T.DEALER).get(spec.number)
            different |= {spec.name} if ours != theirs else set()
    socket.close(0)
    assert different == OTHER_DEFAULT


SECURITY_CALLS = [
    *product((O.PLAIN_SERVER, O.CURVE_SERVER), (0, 1)),
    *product((O.PLAIN_USERNAME, O.PLAIN_PASSWORD), (b"a",)),
    *product((O.CURVE_PUBLICKEY, O.CURVE_SECRETKEY, O.CURVE_SERVERKEY), (KEY,)),
]


@settings(deadline=None)
@given(calls=st.lists(st.sampled_from(SECURITY_CALLS), min_size=1, max_size=6))
def test_the_security_option_set_last_chooses_the_mechanism(
    context: Any, calls: list[tuple[SocketOption, Any]]
) -> None:
    theirs, ours = context.socket(T.DEALER), OptionValues(T.DEALER)
    for number, value in calls:
        theirs.set(int(number), value)
        ours.set(number, value)
    assert ours.get(O.MECHANISM) == theirs.get(int(O.MECHANISM))
    theirs.close(0)


def test_only_one_mechanism_has_a_server(context: Any) -> None:
    theirs, ours = context.socket(T.DEALER), OptionValues(T.DEALER)
    roles = (O.MECHANISM, O.PLAIN_SERVER, O.CURVE_SERVER)
    seen = []
    for number, value in [(O.PLAIN_SERVER, 1), (O.CURVE_SERVER, 1), (O.PLAIN_USERNAME, b"u")]:
        theirs.set(int(number), value)
        ours.set(number, value)
        seen.append(tuple(ours.get(role) for role in roles))
        assert seen[-1] == tuple(theirs.get(int(role)) for role in roles)
    assert seen == [(1, 1, 0), (2, 0, 1), (1, 0, 0)]
    theirs.close(0)


def test_the_reference_page_is_current() -> None:
    docs = Path(__file__).parents[2] / "docs"
    assert (docs / "options.md").read_text(encoding="utf-8") == page(), (
        "python -m shmzmq.options > docs/options.md brings it up to date"
    )
