from ..pipe import Pipe

class FairQueue:
    def __init__(self, ended: list[Pipe]) -> None: ...
