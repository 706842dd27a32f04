from .pattern import Pattern

class Pair(Pattern):
    def __init__(self) -> None: ...
