from typing import final

from ..pipe import Pipe

@final
class LoadBalancer:
    def __init__(self, ended: list[Pipe]) -> None: ...
