"""Immutable records, declared as a frozen dataclass is, without the price of importing dataclasses.

The standard module takes 15 ms to import (it brings inspect and re along), and each decorated class
about 0.5 ms more; every I/O worker would pay that each time it starts. Type checkers see real
dataclasses here (PEP 681).
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take this name for true; importing it from typing takes 10 ms
if TYPE_CHECKING:
    from typing import Any, ClassVar, dataclass_transform
else:

    def dataclass_transform(**_options):
        """Stand in for typing.dataclass_transform, which only tells type checkers something."""
        return lambda cls: cls


@dataclass_transform(frozen_default=True)
class Record:
    """A value with named fields: those annotated in the class body, with defaults where it has any.

    Fields are set by position or by name when it is made, and never again. Records are equal when
    their classes are the same and their fields are equal.
    """

    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        """Collect the subclass's fields, those of its base first; class variables have no place."""
        own = (name for name in cls.__annotations__ if name not in cls._fields)
        cls._fields = (*cls._fields, *own)

    def __init__(self, *values: Any, **named: Any) -> None:
        fields = self._fields
        if len(values) > len(fields):
            raise TypeError(f"{type(self).__name__} takes {len(fields)} values, not {len(values)}")
        state = self.__dict__
        state.update(zip(fields, values, strict=False))
        for name, value in named.items():
            if name not in fields or name in state:
                raise TypeError(f"{type(self).__name__} has no free field {name!r}")
            state[name] = value
        if len(state) < len(fields):
            missing = [name for name in fields if not hasattr(self, name)]
            if missing:
                raise TypeError(f"{type(self).__name__} lacks {', '.join(missing)}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: cannot set {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable: cannot delete {name!r}")

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self._fields)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash((type(self), self._values()))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({fields})"
