"""What is known about one socket option: a row of the option table, and its check of a value."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from ..constants import EINVAL, SocketOption, SocketType, ValueType
from ..errors import ZMQError
from .bounds import Bounds

# One value; what a socket holds for an option; what options are told of each other.
OptionValue = int | bytes
Held = int | bytes | tuple[int | bytes, ...] | None
Implies = Callable[[OptionValue | None], Mapping[int, Held]]

# Who acts on it: the socket and its pipes and sessions; a pattern; a transport; a mechanism.
Owner = Literal["core", "patterns", "tcp", "ipc", "vmci", "multicast", "security"]
Access = Literal["r", "w", "rw"]
Effect = Literal["at once", "next bind", "next connect", "next bind or connect"]
# The last value set; all values set, until None clears them; the value of the next connect only;
# nothing, since setting it is an act; what the socket itself notes from moment to moment.
Keeps = Literal["last", "all", "once", "nothing", "live"]

# Transports on which peers have connections; multicast has none.
CONNECTED = ("ipc", "tcp", "vmci")

# What the manuals call an option that libzmq has renamed since: errors say both names.
_NAMES_OF_MANUALS = frozenset(
    {"IDENTITY", "CONNECT_RID", "PRE_ALLOCATED_FD", "TCP_RETRANSMIT_TIMEOUT"}
)

ALL_SOCKETS = frozenset(SocketType)
NO_SOCKETS: frozenset[SocketType] = frozenset()


def python_type(value_type: ValueType) -> type[int] | type[bytes]:
    """Return the type that holds such a value in Python."""
    return bytes if value_type in (ValueType.BYTES, ValueType.TEXT) else int


class OptionSpec(NamedTuple):
    """One option: a row of the table that get, set, attribute access, docs and tests go by.

    A named tuple and no dataclass, because importing `dataclasses` takes longer than the whole
    option table.
    """

    number: SocketOption
    doc: str
    default: Held  # b"" or () for what the manuals call not set
    bounds: Bounds | None  # what a value must fit; None for what cannot be set
    owner: Owner
    unit: str = ""  # of the value, written out
    sockets: frozenset[SocketType] = ALL_SOCKETS  # those on which it does something
    ignored_by: frozenset[SocketType] = NO_SOCKETS  # those that take it, as in libzmq, for nothing
    transports: tuple[str, ...] = ()  # those to which it makes a difference; () is all
    access: Access = "rw"
    takes_effect: Effect = "next bind or connect"
    keeps: Keeps = "last"
    nullable: bool = False  # takes None, which is the manuals' NULL of length 0: not set
    secret: bool = False  # its value stands in no message and no log
    since: str | None = None  # the version it is in effect from; None: so far checked and held only
    needs: Mapping[SocketType, SocketOption] = MappingProxyType({})  # there, only while that is 1
    implies: Implies | None = None  # other options that change with it, and to what

    @property
    def name(self) -> str:
        """The name of the constant, without ZMQ_."""
        return self.number.name

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names of the same option, as a manual or pyzmq has them."""
        members = SocketOption.__members__.items()
        return tuple(
            name for name, member in members if member is self.number and name != self.name
        )

    @property
    def title(self) -> str:
        """The name for messages, with the one that a manual has behind it where that is another."""
        others = [name for name in self.aliases if name in _NAMES_OF_MANUALS]
        return f"{self.name} ({', '.join(others)})" if others else self.name

    @property
    def type(self) -> ValueType:
        """What the option holds."""
        return self.number.value_type

    @property
    def readable(self) -> bool:
        """Whether `get` answers."""
        return self.access != "w"

    @property
    def writable(self) -> bool:
        """Whether `set` takes a value."""
        return self.access != "r"

    def applies_to(self, socket_type: SocketType) -> bool:
        """Whether a socket of this type takes the option, be it without effect."""
        return socket_type in self.sockets or socket_type in self.ignored_by

    def check(self, value: object) -> OptionValue | None:
        """Return `value` as it is to be held: a plain int, or bytes, or None for not set.

        Keys come back decoded, switches as 0 or 1, numbers rounded as the option rounds them.

        Raises:  TypeError for a Python type that is not the option's, as pyzmq does.
                 ZMQError, EINVAL, with what the option takes, for a value that does not fit,
                 and for an option that can only be read.
        """
        if value is None and self.nullable:
            return None
        if not isinstance(value, python_type(self.type)):
            raise TypeError(self._wrong_type(value))
        if self.bounds is None:
            raise ZMQError(EINVAL, f"{self.title} can only be read, not set to {self._show(value)}")
        fitted = self.bounds.fit(value)
        if fitted is None:
            raise ZMQError(EINVAL, self._wrong_value(value, self.bounds))
        return fitted

    def _wrong_type(self, value: object) -> str:
        expected = python_type(self.type).__name__
        hint = " (set_string encodes it)" if isinstance(value, str) and expected == "bytes" else ""
        return (
            f"{self.title} takes {expected}, not {type(value).__name__} {self._show(value)}{hint}"
        )

    def _wrong_value(self, value: object, bounds: Bounds) -> str:
        unit = f" ({self.unit})" if self.unit else ""
        return f"{self.title} takes {bounds.takes}{unit}, not {self._show(value)}"

    def _show(self, value: object) -> str:
        """Return a value for a message: short, and never a secret."""
        if self.secret or (isinstance(value, bytes) and len(value) > 40):
            return f"these {len(value)} bytes" if isinstance(value, bytes) else "this value"
        return repr(value)
