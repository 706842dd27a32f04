from collections.abc import Iterable, Sequence
from typing import Literal, overload

import numpy
from numpy.typing import NDArray
from typing_extensions import Buffer

from .batch_sources import Source
from .socket_base import SocketBase

class Batches(SocketBase):
    @overload
    def send_many(
        self,
        messages: Iterable[Buffer] | Buffer,
        flags: int = 0,
        *,
        offsets: Buffer | None = None,
        multipart: Literal[False] = False,
    ) -> int: ...
    @overload
    def send_many(
        self,
        messages: Iterable[Sequence[Buffer]],
        flags: int = 0,
        *,
        offsets: None = None,
        multipart: Literal[True],
    ) -> int: ...
    def send_rest(self, source: Source, flags: int = 0) -> int: ...
    @overload
    def recv_many(
        self,
        max_messages: int = 1024,
        timeout: int | None = None,
        flags: int = 0,
        *,
        multipart: Literal[False] = False,
    ) -> list[bytes]: ...
    @overload
    def recv_many(
        self,
        max_messages: int = 1024,
        timeout: int | None = None,
        flags: int = 0,
        *,
        multipart: Literal[True],
    ) -> list[list[bytes]]: ...
    @overload
    def recv_many(
        self,
        max_messages: int = 1024,
        timeout: int | None = None,
        flags: int = 0,
        *,
        multipart: bool,
    ) -> list[bytes] | list[list[bytes]]: ...
    def recv_packed(
        self, max_messages: int = 1024, timeout: int | None = None, flags: int = 0
    ) -> tuple[NDArray[numpy.uint8], NDArray[numpy.int64]]: ...
