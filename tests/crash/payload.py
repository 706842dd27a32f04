"""Messages that say whose they are, which number they have, and what all of them looks like."""

import random
import struct
from collections.abc import Sequence

_HEADER = struct.Struct("<QQ")
_NOISE = random.Random(1).randbytes(1 << 18)
# Most are small, some outgrow a ring's first area several times.
_SIZES = (0, 1, 8, 60, 64, 100, 700, 2_500, 3, 4_096, 33, 1_200, 250, 64, 17, 2)
_LARGE_EVERY, _LARGE = 197, 80_000


def message(sender: int, number: int) -> list[bytes]:
    """Return the parts of a sender's message of this number: a header, and one to three bodies."""
    parts = [_HEADER.pack(sender, number)]
    for index in range(1 + number % 3):
        size = _SIZES[(7 * number + 3 * index + sender) % len(_SIZES)]
        if number % _LARGE_EVERY == _LARGE_EVERY - 1:
            size = _LARGE
        start = (8_191 * number + 131 * index + 257 * sender) % (len(_NOISE) - _LARGE)
        parts.append(_NOISE[start : start + size])
    return parts


def large_message(sender: int, number: int) -> list[bytes]:
    """Return the parts of a message of which two are large: each its own piece of noise."""
    start = (8_191 * number + 257 * sender) % (len(_NOISE) - _LARGE)
    body = _NOISE[start : start + _LARGE]
    return [_HEADER.pack(sender, number), body, b"between", body[::-1]]


def header(part: bytes) -> tuple[int, int]:
    """Return what the first part of a message says: sender and number."""
    sender, number = _HEADER.unpack(part)
    return sender, number


def whose(parts: Sequence[bytes]) -> tuple[int, int]:
    """Return sender and number of a message.

    ValueError unless every byte of it is as it was sent.
    """
    if not parts or len(parts[0]) != _HEADER.size:
        raise ValueError(f"no header in {[part[:40] for part in parts]}")
    sender, number = _HEADER.unpack(parts[0])
    if number >> 32 or list(parts) != message(sender, number):
        sizes = [len(part) for part in parts]
        raise ValueError(
            f"message {number} of sender {sender} is not whole: parts of {sizes} bytes"
        )
    return sender, number


class Ledger:
    """What one receiver has had: each message whole, each sender's in order and without a gap.

    *following* has for each sender the number that is due next.
    """

    def __init__(self) -> None:
        self.following: dict[int, int] = {}

    def note(self, parts: Sequence[bytes]) -> int:
        """Check a message and return its sender; a sender may begin with any number."""
        sender, number = whose(parts)
        due = self.following.get(sender, number)
        if number != due:
            raise ValueError(f"message {number} of sender {sender} came where {due} was due")
        self.following[sender] = number + 1
        return sender
