from collections.abc import Callable
from typing import Any, final

from .batch import Batch
from .lease import PoolDesk
from .segment import Segment

@final
class Consumer:
    def __init__(
        self,
        segment: Segment,
        index: int,
        open_area: Callable[[str], Segment],
        desk: PoolDesk | None = None,
        parcels: dict[int, Any] | None = None,
    ) -> None: ...
    def abandon(self) -> None: ...
    def resume(self, areas: list[tuple[int, Segment]]) -> None: ...
    def pop(self) -> tuple[bytes, int] | None: ...
    def pop_many(self, batch: Batch, most: int, largest: int = ...) -> int: ...
    def describe(self) -> dict[str, int | str | None]: ...
