"""Options of contexts, and the defaults that a context has for the options of its sockets."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from .attributes import OptionAttributes
from .constants import ContextOption, SocketOption
from .errors import ZMQError
from .placement import Placement

if TYPE_CHECKING:
    from .shm.blocks import Pool

_DEFAULTS: dict[int, int] = {
    ContextOption.IO_THREADS: 1,
    ContextOption.MAX_SOCKETS: 1023,
    ContextOption.BLOCK_POOL_SIZE: 256 << 20,
}
_LEAST: dict[int, int] = {
    ContextOption.IO_THREADS: 0,
    ContextOption.MAX_SOCKETS: 1,
    ContextOption.BLOCK_POOL_SIZE: 0,
}
_READ_ONLY: dict[int, int] = {ContextOption.SOCKET_LIMIT: 65535}


class ContextOptions(OptionAttributes):
    """What a context has for options."""

    _option_names = ContextOption

    sockopts: dict[int, Any]  # what its sockets get, made from now on
    pool: Pool
    _options: dict[int, int]
    _placement: Placement

    def set(self, option: int, optval: int) -> None:
        """Set a context option.

        Raises ZMQError(EINVAL) for an unknown option or a value it does not take.
        """
        if not isinstance(optval, int):
            raise TypeError(f"a context option is an int, not {type(optval).__name__}: {optval!r}")
        if Placement.has(option):
            self._placement.set(option, optval)
            return
        if option not in _LEAST:
            raise ZMQError(errno.EINVAL, f"context option {option!r} cannot be set")
        if optval < _LEAST[option]:
            name = ContextOption(option).name
            raise ZMQError(errno.EINVAL, f"{name} is a number from {_LEAST[option]}, not {optval}")
        self._options[option] = optval
        if option == ContextOption.BLOCK_POOL_SIZE:
            self.pool.limit = optval

    def get(self, option: int) -> int:
        """Return a context option. Raises ZMQError(EINVAL) for an unknown one."""
        for values in (self._options, _DEFAULTS, _READ_ONLY):
            if option in values:
                return int(values[option])
        if Placement.has(option):
            return int(self._placement.get(option))
        raise ZMQError(errno.EINVAL, f"context option {option!r} is unknown")

    def setsockopt(self, opt: int, value: Any) -> None:
        """Set the default of a socket option for sockets made from now on."""
        self.sockopts[opt] = value

    def getsockopt(self, opt: int) -> Any:
        """Return the default of a socket option that was set with setsockopt."""
        return self.sockopts[opt]

    def _set_attribute(self, key: str, option: Any, value: Any) -> None:
        self.set(option, value)

    def __setattr__(self, key: str, value: Any) -> None:
        if key.upper() in SocketOption.__members__ and key.upper() not in ContextOption.__members__:
            self.sockopts[SocketOption[key.upper()]] = value
        else:
            super().__setattr__(key, value)

    def __getattr__(self, key: str) -> Any:
        option = SocketOption.__members__.get(key.upper())
        if option is not None and key.upper() not in ContextOption.__members__:
            try:
                return self.__dict__["sockopts"][option]
            except KeyError:
                raise AttributeError(f"no default was set for the socket option {key!r}") from None
        return super().__getattr__(key)
