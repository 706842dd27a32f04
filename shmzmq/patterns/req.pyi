from .pattern import Pattern

class Req(Pattern):
    def __init__(self) -> None: ...
