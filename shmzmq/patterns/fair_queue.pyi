from typing import final

from ..pipe import Pipe

@final
class FairQueue:
    def __init__(self, ended: list[Pipe]) -> None: ...
