"""What an option takes beyond the type of its value: each kind of bound is one small class.

A bound has `takes`, words for documentation and error messages, and `fit`, which returns the value
to be held (a key decoded, a number rounded as the option rounds it), or None for a value that the
option does not take. Nothing here blocks or raises.
"""

from collections.abc import Iterator
from typing import Any

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
INT64_MAX = 2**63 - 1
UINT64_MAX = 2**64 - 1


class Bounds:
    """What an option takes; each kind says it in its own way."""

    __slots__ = ()
    takes: str

    def fit(self, value: Any) -> int | bytes | None:
        """Return what is to be held for `value`, an int or bytes as the option has it, or None."""
        raise NotImplementedError(f"{type(self).__name__} does not say what fits")


class Range(Bounds):
    """Integers from `low` to `high`, except `without`, rounded down to a multiple of `step`."""

    __slots__ = ("high", "low", "step", "takes", "without")

    def __init__(
        self, low: int, high: int = INT_MAX, *, step: int = 1, without: tuple[int, ...] = ()
    ) -> None:
        """Take `low` to `high`, both included; without `high`, what a C int holds."""
        self.low, self.high, self.step, self.without = low, high, step, without
        excepted = "".join(f", not {value}" for value in without)
        self.takes = f"an int from {low} to {high}{excepted}"

    def fit(self, value: int) -> int | None:
        """Return the value, rounded down to a step."""
        if self.low <= value <= self.high and value not in self.without:
            return value - value % self.step
        return None


class OneOf(Bounds):
    """The integers listed, and no others."""

    __slots__ = ("takes", "values")

    def __init__(self, *values: int) -> None:
        """Take these values."""
        self.values = values
        *others, last = map(str, values)
        self.takes = f"{', '.join(others)} or {last}"

    def fit(self, value: int) -> int | None:
        """Return the value if it is listed."""
        return int(value) if value in self.values else None


class Truth(Bounds):
    """A switch for which libzmq takes any number from `low` up: 0 is off, all others are on."""

    __slots__ = ("low", "takes")

    def __init__(self, low: int) -> None:
        """Take integers from `low` up."""
        self.low = low
        self.takes = f"0 or 1 (any other int from {low} up means 1)"

    def fit(self, value: int) -> int | None:
        """Return 0 or 1."""
        return int(value != 0) if self.low <= value <= INT_MAX else None


class Length(Bounds):
    """Any bytes, so long as there are at least `low` and at most `high` of them."""

    __slots__ = ("first_not_zero", "high", "low", "takes")

    def __init__(self, low: int, high: int | None, *, first_not_zero: bool = False) -> None:
        """Take `low` to `high` bytes; None is no limit."""
        self.low, self.high, self.first_not_zero = low, high, first_not_zero
        self.takes = "bytes" if high is None else f"{low} to {high} bytes"
        if first_not_zero:
            self.takes += ", the first not zero"

    def fit(self, value: bytes) -> bytes | None:
        """Return the value if its length fits."""
        if len(value) < self.low or (self.high is not None and len(value) > self.high):
            return None
        return None if self.first_not_zero and value[:1] == b"\0" else value


class Text(Bounds):
    """A character string of C: a zero byte may end it and is dropped, and stands nowhere else."""

    __slots__ = ("high", "low", "takes")

    def __init__(self, low: int, high: int) -> None:
        """Take `low` to `high` bytes, the final zero byte not counted."""
        self.low, self.high = low, high
        self.takes = f"{low} to {high} bytes, zero bytes only at the end"

    def fit(self, value: bytes) -> bytes | None:
        """Return the value without the zero byte at its end."""
        text = value.removesuffix(b"\0")
        return text if self.low <= len(text) <= self.high and b"\0" not in text else None


class CurveKey(Bounds):
    """A CURVE key: 32 bytes, or the same in Z85 (40 characters, which a zero byte may end)."""

    __slots__ = ()
    takes = "32 bytes, or 40 characters of Z85"

    def fit(self, value: bytes) -> bytes | None:
        """Return the 32 bytes of the key."""
        if len(value) == 32:
            return value
        text = value[:40] if len(value) == 41 and value[40] == 0 else value
        return decode_z85(text) if len(text) == 40 else None


class AddressFilter(Bounds):
    """An IPv4 or IPv6 address, or a network of them in CIDR notation, which a zero byte may end."""

    __slots__ = ()
    takes = "an IPv4 or IPv6 address or network, such as 10.0.0.0/8"

    def fit(self, value: bytes) -> bytes | None:
        """Return the filter as it was written, without the zero byte."""
        # Not at the top: few programs set this option, and all would wait for the import.
        import ipaddress

        text = value.removesuffix(b"\0")
        prefix_length = text.partition(b"/")[2]
        try:
            # A mask may not be written out, as in /255.0.0.0: ZeroMQ takes CIDR only.
            if prefix_length and not prefix_length.isdigit():
                return None
            ipaddress.ip_network(text.decode("ascii"), strict=False)
        except ValueError:
            return None
        return text


class Property(Bounds):
    """A connection property of the application: `X-name:value` (ZMTP 3.1, "Metadata")."""

    __slots__ = ()
    takes = "b'X-name:value', the name up to 255 bytes, the value not empty"

    def fit(self, value: bytes) -> bytes | None:
        """Return the property as it was written."""
        name, _, content = value.partition(b":")
        return value if name.startswith(b"X-") and len(name) <= 255 and content else None


SWITCH = OneOf(0, 1)
LENIENT_SWITCH = Truth(0)
NOT_NEGATIVE = Range(0)
POSITIVE = Range(1)
# The least value is a word of its own: no limit, for ever, or what the system does by default.
MINUS_ONE_OR_MORE = Range(-1)
MINUS_ONE_OR_POSITIVE = Range(-1, without=(0,))
SHORT_BINARY = Length(1, 255)
SHORT_TEXT = Text(1, 255)
MESSAGE = Length(0, None)

# RFC 32: the 85 digits, in the order of their values.
Z85_DIGITS = (
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
)


def decode_z85(text: bytes) -> bytes | None:
    """Return the bytes that `text` stands for in Z85 (RFC 32), or None if it is not Z85."""

    def words() -> Iterator[bytes]:
        for start in range(0, len(text), 5):
            word = 0
            for digit in text[start : start + 5]:
                word = word * 85 + Z85_DIGITS.index(digit)
            yield word.to_bytes(4, "big")

    try:
        return b"".join(words()) if len(text) % 5 == 0 else None
    except (ValueError, OverflowError):
        return None
