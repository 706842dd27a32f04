"""The library under test, imported in this one place.

``SHMZMQ_TEST_LIBRARY=zmq`` runs the same contract on pyzmq, and so on libzmq: that run shows that
the contract states what ZeroMQ does, and not what we happened to build.
"""

import importlib
import os
from typing import Any, TypeAlias

import pytest

LIBRARY_NAME = os.environ.get("SHMZMQ_TEST_LIBRARY", "shmzmq")
IS_LIBZMQ = LIBRARY_NAME == "zmq"

# Any, because which module stands behind the name is known only when the tests run.
zmq: Any = importlib.import_module(LIBRARY_NAME)
Socket: TypeAlias = Any
Context: TypeAlias = Any


def ours_better(reason: str) -> pytest.MarkDecorator:
    """Mark a test of something that shmzmq promises and libzmq does not; the reason says what."""
    return pytest.mark.skipif(IS_LIBZMQ, reason=f"ours-better: {reason}")


draft = ours_better("a draft of libzmq, which pyzmq's build of it leaves out")
