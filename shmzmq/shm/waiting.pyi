from typing import final

@final
class Spinner:
    @property
    def spins(self) -> int: ...
    @property
    def sleeps(self) -> int: ...
    @property
    def wakes(self) -> int: ...
