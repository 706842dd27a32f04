from .pattern import Pattern

class Sub(Pattern):
    def __init__(self) -> None: ...
