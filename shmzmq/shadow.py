"""Shadows: other objects for a socket, so that it can be used as another class.

A shadow shares the attributes of its original. What is compiled belongs to the original alone, so
a shadow's class hands calls of that on. Closing either closes the socket; forgetting a shadow does
not.
"""

from __future__ import annotations

from typing import Any

from .batches import Batches
from .socket_base import SocketBase
from .socket_core import SocketCore

_classes: dict[type[Any], type[Any]] = {}


def shadow_class(kind: type[Any]) -> type[Any]:
    """Return the subclass of *kind*, a class of sockets, that shadows are made of."""
    if kind not in _classes:
        _classes[kind] = _make_class(kind)
    return _classes[kind]


def _make_class(kind: type[Any]) -> type[Any]:
    compiled = {
        name: member
        for part in (SocketCore, SocketBase, Batches)
        for name, member in vars(part).items()
        if name[:2] != "__"
    }
    handed_on = {
        name: _hand_on(name, member)
        for name, member in compiled.items()
        if getattr(kind, name) is getattr(Batches, name)
    }
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__slots__": ()}
    return type(kind.__name__, (kind,), {**handed_on, **names})


def _hand_on(name: str, member: Any) -> Any:
    if callable(member):

        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            return member(self.core, *args, **kwargs)

        return call

    def set_attribute(self: Any, value: Any) -> None:
        setattr(self.core, name, value)

    return property(lambda self: getattr(self.core, name), set_attribute)
