from typing import final

from ..pipe import Pipe
from ..zmtp.codec import FrameCodec

@final
class Buffer: ...

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
    def announce(self) -> None: ...
    def imply(self, command: bytes) -> None: ...
    def receive(self) -> int: ...
    def give_back(self) -> None: ...
