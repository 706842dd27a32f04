"""shmzmq in the place of zmq, for programs that cannot be edited.

After `install_as_zmq` the name zmq and every zmq.X stand for the very modules shmzmq and shmzmq.X,
so there is one Context class and one of everything else. A finder in front of all others answers
for the name; what shmzmq does not have raises ImportError and is never looked for in an installed
pyzmq.

Children: a forked one has the finder. One that begins afresh (subprocess, multiprocessing's spawn
and forkserver) finds the directory as_zmq on its module path, through PYTHONPATH, ahead of all
installed packages; the module zmq in it installs the finder there. That does not reach a child that
is started with another environment or with `python -E` or `-I`, which ignore PYTHONPATH.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.abc import Loader, MetaPathFinder
else:
    Loader = MetaPathFinder = object  # importing their module takes as long as all of ours

_NAME = "zmq"
_OURS = __package__ or "shmzmq"
_CHILDREN_S_PATH = os.path.join(os.path.dirname(__file__), "as_zmq")


def install_as_zmq() -> None:
    """Have ``import zmq``, here and in child processes, give this package; may be called again.

    To be called before anything imports zmq. Raises ImportError when a module zmq that is not this
    package has been imported already: what was taken from it would not be ours.
    """
    present = sys.modules.get(_NAME)
    ours = import_module(_OURS)
    if present is not None and present is not ours and not _is_for_children(present):
        origin = getattr(present, "__file__", None) or "an unknown place"
        raise ImportError(f"zmq has been imported already, from {origin}", name=_NAME)
    if not any(isinstance(finder, StandIn) for finder in sys.meta_path):
        sys.meta_path.insert(0, StandIn())
    sys.modules[_NAME] = ours
    _tell_children()


def _is_for_children(module: ModuleType) -> bool:
    return os.path.dirname(os.path.dirname(module.__file__ or "")) == _CHILDREN_S_PATH


def _tell_children() -> None:
    path = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    if _CHILDREN_S_PATH not in path:
        os.environ["PYTHONPATH"] = os.pathsep.join([_CHILDREN_S_PATH, *path])
    if _CHILDREN_S_PATH not in sys.path:
        # multiprocessing hands this list to the children that it spawns. The first place is the
        # directory of the program, which programs rely on.
        sys.path.insert(1, _CHILDREN_S_PATH)


class StandIn(MetaPathFinder):
    """Finds zmq and zmq.X, and says that they are shmzmq and shmzmq.X."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return a spec for the names that are ours to answer for, None for all others.

        Raises ModuleNotFoundError for a part of zmq that shmzmq does not have.
        """
        package, _, rest = fullname.partition(".")
        if package != _NAME:
            return None
        name = f"{_OURS}.{rest}" if rest else _OURS
        try:
            module = import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise  # something that it needs is missing
            raise ModuleNotFoundError(
                f"No module named {fullname!r}: shmzmq stands in for zmq and has no {name}",
                name=fullname,
            ) from None
        return ModuleSpec(fullname, _AlreadyLoaded(module), origin=module.__file__)


class _AlreadyLoaded(Loader):
    """Gives the import system a module that has a name and a spec of its own already."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module itself."""
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its spec back, which the import system has replaced by the other's."""
        module.__spec__ = self._spec
