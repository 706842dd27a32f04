from enum import IntEnum
from typing import final

from ..pipe import Pipe
from ..zmtp.codec import FrameCodec

class Turn(IntEnum):
    MORE = 1
    IDLE = 2
    BLOCKED = 3
    FINISHED = 4
    COMMAND = 5
    ENDED = 6

@final
class Batch: ...

@final
class Buffer: ...

@final
class Sending:
    def __init__(
        self, pipe: Pipe, fd: int, codec: FrameCodec, commands: bool, most: int = 0
    ) -> None: ...
    def say(self, octets: bytes) -> None: ...
    def attend(self) -> None: ...
    def rest(self) -> bool: ...
    def rewind(self) -> None: ...
    def send(self) -> int: ...
    def give_back(self) -> None: ...

@final
class Receiving:
    @property
    def command(self) -> bytes | None: ...
    @property
    def count(self) -> int: ...
    def __init__(
        self,
        pipe: Pipe,
        fd: int,
        codec: FrameCodec,
        subscriptions: bool,
        rest: bytes = b"",
        most: int = 0,
    ) -> None: ...
    def imply(self, command: bytes) -> None: ...
    def receive(self) -> int: ...
    def give_back(self) -> None: ...
