from .pattern import Pattern

class XPub(Pattern):
    def __init__(self) -> None: ...
