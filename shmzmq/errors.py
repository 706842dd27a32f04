"""The exceptions of the ZeroMQ API, under pyzmq's names, and libzmq's words for its error numbers.

A caller's mistake raises; the error carries libzmq's number, so that code written for libzmq
branches as before, and a message that says what was wrong. A peer's mistake never raises here:
it ends that peer's session and is reported by the monitor.
"""

import os
from errno import EINTR

from .constants import EAGAIN, EFSM, EHOSTUNREACH, EMTHREAD, ENOCOMPATPROTO, ETERM

# The version of libzmq whose interface and behaviour this package offers.
LIBZMQ_VERSION = "4.3.5"

# What libzmq says for its own numbers, and for the one where it differs from the C library.
_TEXTS: dict[int, str] = {
    EFSM: "Operation cannot be accomplished in current state",
    ENOCOMPATPROTO: "The protocol is not compatible with the socket type",
    ETERM: "Context was terminated",
    EMTHREAD: "No thread available",
    EHOSTUNREACH: "Host unreachable",
}


def strerror(errno: int) -> str:
    """Return the text for an error number, as libzmq's `zmq_strerror` does; any int has one."""
    return _TEXTS.get(errno) or os.strerror(errno)


class DraftFDWarning(RuntimeWarning):
    """The FD of a socket type that is draft in libzmq may behave differently there."""

    def __init__(self, msg: str = "") -> None:
        """Warn with `msg`, or with a general text."""
        super().__init__(msg or "FD on sockets of a draft type is experimental in libzmq")


class ZMQBaseError(Exception):
    """What every error of this package is, but `ZMQVersionError`."""


class ZMQError(ZMQBaseError):
    """A call that failed, with libzmq's error number.

    errno:     the number, one of `shmzmq.constants.Errno` or the system's; None when not known
    strerror:  the caller's message, otherwise the text that `strerror` gives for the number
    """

    errno: int | None = None
    strerror: str = ""

    def __init__(self, errno: int | str | None = None, msg: str | None = None) -> None:
        """Take an error number and a message; a text instead of a number is the message."""
        super().__init__(*[given for given in (errno, msg) if given is not None])
        if isinstance(errno, int):
            self.errno = int(errno)
            self.strerror = strerror(errno) if msg is None else msg
        else:
            self.strerror = msg or errno or "Unknown error"

    def __str__(self) -> str:
        """Return the message."""
        return self.strerror

    def __repr__(self) -> str:
        """Return the class and the message."""
        return f"{type(self).__name__}({self.strerror!r})"


class _FixedError(ZMQError):
    """An error whose class says the number; pyzmq's signature, in which a number is ignored."""

    _errno: int

    def __init__(self, errno: int | str | None = None, msg: str | None = None) -> None:
        """Take a message; whatever is given as number, the number of this class counts."""
        super().__init__(self._errno, msg)


class ContextTerminated(_FixedError):
    """The socket's context was terminated (ETERM): close the socket, it is of no more use."""

    _errno = ETERM


class Again(_FixedError):
    """It cannot be done now (EAGAIN): no message, no room, or the time was up. Nothing happened."""

    _errno = EAGAIN


class InterruptedSystemCall(_FixedError, InterruptedError):
    """A signal came while the call waited (EINTR); this package's own calls then try again."""

    _errno = EINTR
    errno: int
    strerror: str


class ZMQBindError(ZMQBaseError):
    """`Socket.bind_to_random_port` found no free port in the range, within the tries allowed."""


class NotDone(ZMQBaseError):
    """The time was up before the message that a tracker follows had left the process."""


class ZMQVersionError(NotImplementedError):
    """What was asked for came with a later libzmq than the one whose interface this is.

    msg: what needs it;  min_version: since which libzmq;  version: the one offered here
    """

    def __init__(self, min_version: str, msg: str = "Feature") -> None:
        """Say that `msg` needs at least libzmq `min_version`."""
        super().__init__(min_version, msg)
        self.msg = msg
        self.min_version = min_version
        self.version = LIBZMQ_VERSION

    def __str__(self) -> str:
        """Return what needs which version, and which there is."""
        return f"{self.msg} requires libzmq >= {self.min_version}, have {self.version}"

    def __repr__(self) -> str:
        """Return the class and the message."""
        return f"{type(self).__name__}({str(self)!r})"


_CLASSES: dict[int, type[ZMQError]] = {
    EAGAIN: Again,
    ETERM: ContextTerminated,
    EINTR: InterruptedSystemCall,
}


def error(errno: int, message: str | None = None) -> ZMQError:
    """Return (not raise) the error for a number: `Again` for EAGAIN, `ContextTerminated` for ETERM,
    `InterruptedSystemCall` for EINTR, otherwise `ZMQError`.

    message: names the offending value and what was expected; without it, the text of the number
    """
    return _CLASSES.get(errno, ZMQError)(errno, message)
