from collections.abc import Callable
from typing import Any, final

from .lease import PoolDesk
from .segment import Segment

@final
class Parts:
    def __init__(
        self,
        memory: memoryview,
        open_area: Callable[[str], Segment],
        desk: PoolDesk | None,
        parcels: dict[int, Any] | None,
    ) -> None: ...
