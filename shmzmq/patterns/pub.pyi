from .pattern import Pattern

class Pub(Pattern):
    def __init__(self) -> None: ...
