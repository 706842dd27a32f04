"""The exceptions: pyzmq's classes, libzmq's numbers and words, and messages of our own."""

import errno as system
import pickle
import warnings
from typing import Any

import pytest

from shmzmq import errors
from shmzmq.constants import EAGAIN, EFSM, EINVAL, EMTHREAD, ENOCOMPATPROTO, ETERM
from shmzmq.errors import (
    Again,
    ContextTerminated,
    DraftFDWarning,
    InterruptedSystemCall,
    NotDone,
    ZMQBaseError,
    ZMQBindError,
    ZMQError,
    ZMQVersionError,
    error,
    strerror,
)

FIXED = [
    (Again, system.EAGAIN),
    (ContextTerminated, 156384765),
    (InterruptedSystemCall, system.EINTR),
]


@pytest.fixture(scope="module")
def pyzmq() -> Any:
    return pytest.importorskip("zmq")


@pytest.mark.parametrize("number", [*range(-1, 140), *range(EFSM - 3, EMTHREAD + 3)])
def test_strerror_says_what_libzmq_says(pyzmq: Any, number: int) -> None:
    assert strerror(number) == pyzmq.strerror(number)
    assert str(ZMQError(number)) == str(pyzmq.ZMQError(number))


@pytest.mark.parametrize("number", [EFSM, ENOCOMPATPROTO, ETERM, EMTHREAD])
def test_libzmqs_own_numbers_have_a_text(number: int) -> None:
    assert not strerror(number).startswith("Unknown")


def test_every_class_of_pyzmq_exists_with_the_same_bases(pyzmq: Any) -> None:
    for name in pyzmq.error.__all__:
        bases = {base.__name__ for base in getattr(pyzmq.error, name).__mro__}
        assert bases <= {base.__name__ for base in getattr(errors, name).__mro__}


def test_an_error_has_the_number_and_its_text() -> None:
    caught = ZMQError(EINVAL)
    assert caught.errno == system.EINVAL
    assert type(caught.errno) is int
    assert caught.strerror == str(caught) == "Invalid argument"
    assert repr(caught) == "ZMQError('Invalid argument')"


def test_the_callers_message_is_shown() -> None:
    caught = ZMQError(EINVAL, "LINGER takes an int, not 'a'")
    assert caught.errno == system.EINVAL
    assert str(caught) == caught.strerror == "LINGER takes an int, not 'a'"


def test_a_text_in_place_of_a_number_is_the_message() -> None:
    assert ZMQError("no such thing").errno is None
    assert str(ZMQError("no such thing")) == "no such thing"
    assert str(ZMQError(msg="no such thing")) == "no such thing"
    assert str(ZMQError()) == "Unknown error"


@pytest.mark.parametrize(("cls", "number"), FIXED)
def test_some_classes_are_one_number_whatever_they_are_given(
    cls: type[ZMQError], number: int
) -> None:
    for made in (cls(), cls("ignored"), cls(EINVAL)):
        assert made.errno == number
        assert str(made) == strerror(number)
    assert str(cls(number, "no message within 5 ms")) == "no message within 5 ms"


@pytest.mark.parametrize(("cls", "number"), FIXED)
def test_error_picks_the_class_for_the_number(cls: type[ZMQError], number: int) -> None:
    assert type(error(number)) is cls
    assert str(error(number, "why")) == "why"
    assert error(number).errno == number


def test_error_is_a_plain_error_for_all_other_numbers() -> None:
    made = error(EFSM, "send on a REQ that waits for a reply; expected recv")
    assert type(made) is ZMQError
    assert made.errno == EFSM
    assert str(made) == "send on a REQ that waits for a reply; expected recv"
    assert str(error(system.ENOTSUP)) == "Operation not supported"


def test_an_interrupted_call_is_the_systems_error_too() -> None:
    with pytest.raises(InterruptedError) as caught:
        raise error(system.EINTR, "recv was interrupted")
    assert caught.value.errno == system.EINTR
    assert caught.value.strerror == "recv was interrupted"
    assert not isinstance(Again(), OSError)


@pytest.mark.parametrize(
    "original",
    [
        ZMQError(EINVAL),
        ZMQError(EINVAL, "why"),
        ZMQError(errno=EINVAL, msg="why"),
        ZMQError("why"),
        Again(EAGAIN, "why"),
        ContextTerminated(),
        InterruptedSystemCall(),
        InterruptedSystemCall(system.EINTR, "why"),
        ZMQBindError("no free port in 5000 to 5010"),
        NotDone("after 1 s"),
        ZMQVersionError("5.0", "Telepathy"),
    ],
)
def test_errors_survive_the_way_to_another_process(original: Exception) -> None:
    copy = pickle.loads(pickle.dumps(original))
    assert type(copy) is type(original)
    assert str(copy) == str(original)
    assert repr(copy) == repr(original)
    assert getattr(copy, "errno", None) == getattr(original, "errno", None)


def test_the_classes_without_a_number_are_caught_with_the_rest() -> None:
    for cls in (ZMQError, ZMQBindError, NotDone):
        assert issubclass(cls, ZMQBaseError)


def test_a_version_error_names_what_needs_which_version(pyzmq: Any) -> None:
    caught = ZMQVersionError("5.0", "Telepathy")
    assert (caught.msg, caught.min_version, caught.version) == ("Telepathy", "5.0", "4.3.5")
    assert str(caught) == str(pyzmq.ZMQVersionError("5.0", "Telepathy"))
    assert repr(caught) == repr(pyzmq.ZMQVersionError("5.0", "Telepathy"))


def test_the_draft_warning_has_a_text_of_its_own() -> None:
    with pytest.warns(DraftFDWarning, match="draft"):
        warnings.warn(DraftFDWarning(), stacklevel=1)
    assert str(DraftFDWarning("mine")) == "mine"
