"""Options as attributes: ``socket.linger = 0`` is ``socket.set(LINGER, 0)``."""

from __future__ import annotations

import errno
from enum import IntEnum
from typing import Any


def public_name(thing: Any) -> str:
    """Return the name by which users import the class of *thing*: shmzmq.Socket, as it may be."""
    kind = type(thing)
    module = kind.__module__
    package, _, rest = module.partition(".")
    if package == __package__ and rest in ("context", "socket", "green.core"):
        module = f"{package}.green" if rest.startswith("green") else package
    return f"{module}.{kind.__qualname__}"


def _is_declared(kind: type[Any], key: str) -> bool:
    """Whether a subclass says ``key: type``, so that it may be set as an attribute."""
    return any(key in vars(cls).get("__annotations__", ()) for cls in kind.__mro__)


class OptionAttributes:
    """Looks up among its options, in any case of letters, what the object has no attribute for."""

    _option_names: type[IntEnum]

    def __setattr__(self, key: str, value: Any) -> None:
        option = self._option_names.__members__.get(key.upper())
        attribute = getattr(type(self), key, None)
        if option is not None and callable(attribute) and key not in self.__dict__:
            attribute(self, value)  # socket.subscribe = b"topic" is socket.subscribe(b"topic")
            return
        if key in self.__dict__ or hasattr(type(self), key):
            object.__setattr__(self, key, value)
            return
        if option is not None:
            self._set_attribute(key, option, value)
        elif key.startswith("_") or _is_declared(type(self), key):
            object.__setattr__(self, key, value)
        else:
            raise AttributeError(f"{type(self).__name__} has no attribute or option {key!r}")

    def __getattr__(self, key: str) -> Any:
        option = type(self)._option_names.__members__.get(key.upper())
        if option is None:
            raise AttributeError(f"{type(self).__name__!r} has no attribute or option {key!r}")
        return self._get_attribute(key, option)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._option_names.__members__})

    def _set_attribute(self, key: str, option: IntEnum, value: Any) -> None:
        self.set(option, value)

    def _get_attribute(self, key: str, option: IntEnum) -> Any:
        from .errors import ZMQError

        try:
            return self.get(option)
        except ZMQError as error:
            if error.errno != errno.EINVAL:
                raise
            # An option that cannot be read is no attribute, so that hasattr and copy get their
            # answer.
            raise AttributeError(f"{key}: {error}") from error

    def set(self, option: int, value: Any) -> None:
        """Set an option."""
        raise NotImplementedError

    def get(self, option: int) -> Any:
        """Return an option's value."""
        raise NotImplementedError
