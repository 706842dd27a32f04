from .pattern import Pattern

class Rep(Pattern):
    def __init__(self) -> None: ...
