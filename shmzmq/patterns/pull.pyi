from .pattern import Pattern

class Pull(Pattern):
    def __init__(self) -> None: ...
