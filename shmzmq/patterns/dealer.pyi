from .pattern import Pattern

class Dealer(Pattern):
    def __init__(self) -> None: ...
