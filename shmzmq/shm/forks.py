"""How often the ancestors of this process forked: what is a parent's is not its child's."""

import os

import cython

generation = cython.declare(cython.int, 0)


def _forked():
    global generation
    generation += 1


os.register_at_fork(after_in_child=_forked)


def fork_generation():
    """Return a number that is another one in every forked child."""
    return generation
