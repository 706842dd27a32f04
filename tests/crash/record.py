"""What a process has done, kept where it outlives the process, however that ends."""

import mmap
import struct
from pathlib import Path

_WORDS = struct.Struct("<QQ")


class Record:
    """Two numbers in a file that both the acting process and the test have mapped.

    *first* is the number of the first message sent or received, *following* the one behind the
    last.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self.path.exists():
            self.path.write_bytes(bytes(_WORDS.size))
        with self.path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), _WORDS.size)

    @property
    def first(self) -> int:
        """The number of the first message."""
        return int(_WORDS.unpack_from(self._memory)[0])

    @property
    def following(self) -> int:
        """The number behind the last message; 0 before there is one."""
        return int(_WORDS.unpack_from(self._memory)[1])

    def note(self, number: int) -> None:
        """Say that the message of this number is done with: sent, or received."""
        first = number if self.following == 0 else self.first
        _WORDS.pack_into(self._memory, 0, first, number + 1)
