"""The options of one socket: what was set, and the table's defaults for all else."""

from collections.abc import Mapping

from ..constants import EINVAL, SocketOption, SocketType
from ..errors import ZMQError
from .spec import Held, OptionSpec, OptionValue
from .table import BY_NAME, BY_NUMBER, find


class OptionValues:
    """What one socket holds for its options. Not for use by several threads at a time.

    `set` and `get` are the application's side: they check, and answer as libzmq does. Indexing and
    the methods below it are the library's: a pattern or a session asks for what counts.
    Nothing blocks. Only what was set is stored, so that a new socket costs next to nothing.
    """

    __slots__ = ("_held", "socket_type")

    def __init__(self, socket_type: int) -> None:
        """Hold the defaults for a socket of this type.

        Raises:  ZMQError, EINVAL, for a number that is no socket type.
        """
        try:
            self.socket_type = SocketType(socket_type)
        except ValueError:
            expected = f"a number of SocketType, {min(SocketType):d} to {max(SocketType):d}"
            raise ZMQError(
                EINVAL, f"{socket_type!r} is no socket type; expected {expected}"
            ) from None
        self._held: dict[int, Held] = {SocketOption.TYPE: int(self.socket_type)}

    def set(self, number: int, value: object) -> OptionValue | None:
        """Set an option, and return the value that is held or to be acted upon.

        SUBSCRIBE and UNSUBSCRIBE are acts: they are checked and returned, and nothing is held.

        Raises:  ZMQError, EINVAL, naming what was wrong, for an unknown option, a value it does
                 not take, a socket type it is not for, one that can only be read.
                 TypeError for a value of the wrong Python type.
        """
        if number not in BY_NUMBER and isinstance(number, int) and not isinstance(value, int):
            raise TypeError(f"socket option {number} is unknown and so takes an int, not {value!r}")
        spec = find(number)
        checked = spec.check(value)
        self._require_applicable(spec)
        if spec.keeps == "nothing":
            return checked
        if checked is None:
            self._held.pop(spec.number, None)
        elif spec.keeps == "all":
            self._held[spec.number] = (*self._all(spec), checked)
        else:
            self._held[spec.number] = checked
        if spec.implies is not None:
            self._held.update(spec.implies(checked))
        return checked

    def get(self, number: int) -> OptionValue:
        """Return the value of an option, as `Socket.get` does: an int, or bytes.

        What the socket notes (`note`) is returned as noted last.

        Raises:  ZMQError, EINVAL, for an unknown option, one that can only be set, and one that is
                 not for this socket type.
        """
        spec = find(number)
        if not spec.readable:
            raise ZMQError(EINVAL, f"{spec.title} can only be set, not read")
        self._require_applicable(spec)
        value = self._held.get(number, spec.default)
        assert isinstance(value, int | bytes), f"{spec.name} is readable and holds {value!r}"
        return value

    def __getitem__(self, number: int) -> Held:
        """Return what is held, or the default, whether or not an application may read it.

        Options that add up (filters, METADATA) come as a tuple. Raises KeyError for no option.
        """
        held = self._held.get(number)
        return BY_NUMBER[number].default if held is None else held

    def __contains__(self, number: int) -> bool:
        """Whether the option was set; the default does not count."""
        return number in self._held

    def note(self, number: int, value: OptionValue) -> None:
        """Hold what the socket itself knows, such as LAST_ENDPOINT, unchecked, for `get`."""
        self._held[number] = value

    def take(self, number: int) -> Held:
        """Return what is held, and go back to the default: for CONNECT_ROUTING_ID, used once."""
        held = self[number]
        self._held.pop(number, None)
        return held

    def snapshot(self) -> dict[str, Held]:
        """Return what was set, by name, for a worker; `restored` makes an equal object of it.

        What the socket notes of itself is not in it. The values are ints, bytes and tuples of
        them; keys and passwords are among them.
        """
        specs = ((BY_NUMBER[number], held) for number, held in self._held.items())
        return {spec.name: held for spec, held in specs if spec.keeps != "live"}

    @classmethod
    def restored(cls, socket_type: int, snapshot: Mapping[str, Held]) -> "OptionValues":
        """Return the options of a socket of this type that `snapshot` describes, not checked again.

        Raises:  KeyError for a name that no option has.
        """
        values = cls(socket_type)
        values._held.update((BY_NAME[name].number, held) for name, held in snapshot.items())
        return values

    def _require_applicable(self, spec: OptionSpec) -> None:
        socket_type = self.socket_type
        if not spec.applies_to(socket_type):
            takers = ", ".join(taker.name for taker in sorted(spec.sockets))
            raise ZMQError(EINVAL, f"{spec.title} is for {takers} sockets, not {socket_type.name}")
        needed = spec.needs.get(socket_type)
        if needed is not None and not self[needed]:
            raise ZMQError(EINVAL, f"{spec.name} on {socket_type.name} needs {needed.name} = 1")

    def _all(self, spec: OptionSpec) -> tuple[int | bytes, ...]:
        held = self[spec.number]
        assert isinstance(held, tuple), f"{spec.name} adds up and holds {held!r}"
        return held
