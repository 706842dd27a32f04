from .pattern import Pattern

class Push(Pattern):
    def __init__(self) -> None: ...
