from .pattern import Pattern

class XSub(Pattern):
    def __init__(self) -> None: ...
