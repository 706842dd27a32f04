from ..pipe import Pipe

class LoadBalancer:
    def __init__(self, ended: list[Pipe]) -> None: ...
