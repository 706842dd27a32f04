from typing import Literal, overload

from typing_extensions import Buffer

from .message import Frame, MessageTracker
from .shm.lender import Loan
from .socket_core import SocketCore

class SocketBase(SocketCore):
    copy_threshold: int
    def __init__(self) -> None: ...
    def send(
        self,
        data: Buffer,
        flags: int = 0,
        copy: bool = True,
        track: bool = False,
        routing_id: int | None = None,
        group: str | None = None,
    ) -> MessageTracker | None: ...
    @overload
    def recv(self, flags: int = 0, copy: Literal[True] = True, track: bool = False) -> bytes: ...
    @overload
    def recv(self, flags: int, copy: Literal[False], track: bool = False) -> Frame: ...
    @overload
    def recv(self, flags: int = 0, *, copy: Literal[False], track: bool = False) -> Frame: ...
    @overload
    def recv(self, flags: int = 0, copy: bool = True, track: bool = False) -> bytes | Frame: ...
    def loan(self, nbytes: int) -> Loan: ...
