from typing import final

from ..pipe import Pipe

@final
class Distributor:
    def __init__(self, ended: list[Pipe]) -> None: ...
    @property
    def dropped(self) -> int: ...
