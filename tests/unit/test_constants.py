"""The constants: libzmq's numbers under pyzmq's names, as enums and at module level."""

import enum
import errno
from typing import Any

import pytest

from shmzmq import constants
from shmzmq.constants import Errno, Event, Flag, PollEvent, SocketOption, SocketType, ValueType

PREFIXES = {"RouterNotify": "NOTIFY_", "NormMode": "NORM_", "ReconnectStop": "RECONNECT_STOP_"}
# Any, as no type says "a class of ints that is an enum".
ENUMS: list[Any] = [
    value
    for name, value in vars(constants).items()
    if isinstance(value, enum.EnumType) and issubclass(value, int) and value.__module__ != "enum"
]


def global_name(member_name: str, cls: Any) -> str:
    """The module-level name of an enum member, by pyzmq's rule."""
    if cls is Event and not member_name.startswith("PROTOCOL_ERROR_"):
        return f"EVENT_{member_name}"
    return PREFIXES.get(cls.__name__, "") + member_name


@pytest.fixture(scope="module")
def pyzmq() -> Any:
    return pytest.importorskip("zmq.constants")


@pytest.mark.parametrize("cls", ENUMS)
def test_every_member_stands_at_module_level(cls: Any) -> None:
    assert len(cls.__members__) > 1
    for name, member in cls.__members__.items():
        assert getattr(constants, global_name(name, cls)) is member


def test_every_module_level_name_is_a_member_or_a_class() -> None:
    members = {global_name(name, cls) for cls in ENUMS for name in cls.__members__}
    public = {name for name in vars(constants) if not name.startswith("_")}
    classes = {name for name in public if isinstance(getattr(constants, name), type)}
    assert public - classes == members


def test_every_public_name_of_pyzmq_exists_with_an_equal_value(pyzmq: Any) -> None:
    for name in pyzmq.__all__:
        theirs, ours = getattr(pyzmq, name), getattr(constants, name)
        if isinstance(theirs, int):
            assert ours == theirs, name
            assert type(ours).__name__ == type(theirs).__name__
            assert (repr(ours), str(ours), f"{ours}") == (repr(theirs), str(theirs), f"{theirs}")


OWN = ("BLOCK_POOL_SIZE",)
"""What ZeroMQ does not have."""


def test_the_enums_are_of_the_same_kind_and_order_as_those_of_pyzmq(pyzmq: Any) -> None:
    for cls in ENUMS:
        theirs = getattr(pyzmq, cls.__name__)
        assert cls.__mro__[1:] == theirs.__mro__[1:]
        assert theirs.__members__.keys() <= cls.__members__.keys()
        if cls is not SocketOption:
            assert [int(member) for member in cls if member.name not in OWN] == list(
                map(int, theirs)
            )


def test_an_option_says_what_it_holds_as_in_pyzmq(pyzmq: Any) -> None:
    words = {
        ValueType.INT: "int",
        ValueType.INT64: "int64",
        ValueType.UINT64: "int64",
        ValueType.BYTES: "bytes",
        ValueType.TEXT: "bytes",
        ValueType.FD: "fd",
    }
    for theirs in pyzmq.SocketOption:
        assert words[SocketOption(theirs).value_type] == theirs._opt_type.value, theirs.name


def test_the_names_of_both_manuals_have_their_numbers() -> None:
    assert constants.PRE_ALLOCATED_FD is SocketOption.USE_FD
    assert constants.TCP_RETRANSMIT_TIMEOUT is SocketOption.TCP_MAXRT
    assert constants.CONNECT_RID is SocketOption.CONNECT_ROUTING_ID
    assert constants.IDENTITY is SocketOption.ROUTING_ID
    assert (constants.TCP_RECV_BUFFER, constants.TCP_SEND_BUFFER) == (82, 83)
    assert constants.XPUB_VERBOSER == 78
    assert constants.XPUB_VERBOSE_UNSUBSCRIBE == 10001


def test_the_error_numbers_are_the_systems_and_libzmqs_own() -> None:
    base = 156384712
    own = {
        "EFSM": base + 51,
        "ENOCOMPATPROTO": base + 52,
        "ETERM": base + 53,
        "EMTHREAD": base + 54,
    }
    for name, member in Errno.__members__.items():
        assert member == own.get(name, getattr(errno, name, None)), name


def test_flags_combine_to_flags() -> None:
    both = PollEvent.POLLIN | PollEvent.POLLOUT
    assert both == 3
    assert type(both) is PollEvent
    assert PollEvent.POLLIN in both
    assert Flag.DONTWAIT | Flag.SNDMORE == 3
    assert Event.ALL & Event.LISTENING is Event.LISTENING


def test_members_are_ints_to_whoever_wants_an_int() -> None:
    assert {8: "push"}[SocketType.PUSH] == "push"
    assert f"{SocketType.PUSH:04d}" == "0008"
    assert SocketType(8) is constants.PUSH
    assert constants.XREP == constants.ROUTER
