"""Decorators that give a function a context or a socket of its own for the time of a call.

``@context()`` and ``@socket(zmq.PUB)`` pass what they make as one more positional argument, or by
keyword when the decorator's first argument, or `name`, is a name. It is closed when the call ends.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from .context import Context
from .socket import Socket

__all__ = ["context", "socket"]

Function = Callable[..., Any]


def context(*args: Any, **kwargs: Any) -> Callable[[Function], Function]:
    """Pass a new Context: ``context(name=None, io_threads=1, ...)``."""
    name, args = _split_name(args, kwargs)

    def decorate(function: Function) -> Function:
        @wraps(function)
        def call(*others: Any, **keywords: Any) -> Any:
            with Context(*args, **kwargs) as made:
                return _call(function, name, made, others, keywords)

        return call

    return decorate


def socket(*args: Any, **kwargs: Any) -> Callable[[Function], Function]:
    """Pass a new socket: ``socket(name=None, socket_type, context_name="context", ...)``.

    Its context is the call's keyword argument *context_name*, or the first Context among the
    call's arguments, or else Context.instance().
    """
    name, args = _split_name(args, kwargs)
    context_name = kwargs.pop("context_name", "context")

    def decorate(function: Function) -> Function:
        @wraps(function)
        def call(*others: Any, **keywords: Any) -> Any:
            owner = _find_context(context_name, others, keywords)
            with owner.socket(*args, **kwargs) as made:
                return _call(function, name, made, others, keywords)

        return call

    return decorate


def _split_name(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str | None, Any]:
    if args and isinstance(args[0], str):
        return args[0], args[1:]
    return kwargs.pop("name", None), args


def _find_context(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Context:
    named = kwargs.get(name)
    if isinstance(named, Context):
        return named
    for candidate in args:
        if isinstance(candidate, Context):
            return candidate
    return Context.instance()


def _call(
    function: Function,
    name: str | None,
    made: Context | Socket,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    if name is None:
        return function(*args, made, **kwargs)
    if name in kwargs:
        raise TypeError(f"{function.__name__}() is given {name!r} by its caller and a decorator")
    return function(*args, **{**kwargs, name: made})
