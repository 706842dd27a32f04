from typing import final

from ..pipe import Pipe

@final
class Addressing:
    def __init__(self, ended: list[Pipe]) -> None: ...
