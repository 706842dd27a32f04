"""How the two ends of a measurement wait for each other: by semaphores, whatever the library."""

from multiprocessing.context import SpawnContext

from benchmarks.cases import Role


class Gates:
    """Meeting points of two processes or two threads; hand it to both when they start.

    Every wait blocks without a time limit: the process that started both ends them when one fails.
    """

    def __init__(self, spawn: SpawnContext) -> None:
        """Make the semaphores for processes started through `spawn`."""
        self._arrived = (spawn.Semaphore(0), spawn.Semaphore(0))
        self._heard = (spawn.Semaphore(0), spawn.Semaphore(0))
        self._credit = spawn.Semaphore(2)

    def meet(self, role: Role) -> None:
        """Return once the other end has come to its own `meet`."""
        self._arrived[role.other].release()
        self._arrived[role].acquire()

    def tell_heard(self, role: Role) -> None:
        """Say, as the end `role`, that something sent by the other end has come through."""
        self._heard[role.other].release()

    def was_heard(self, role: Role, timeout_s: float) -> bool:
        """Return whether the other end says, within `timeout_s`, that it hears the end `role`."""
        return self._heard[role].acquire(timeout=timeout_s)

    def take_credit(self) -> None:
        """Wait, as a sender, until another batch may be under way; two may be at a time."""
        self._credit.acquire()

    def give_credit(self) -> None:
        """Say, as a receiver, that a batch has arrived whole."""
        self._credit.release()
