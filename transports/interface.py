"""What a transport offers, slot by slot.

A transport is one object without state of its own; it lives in the application (which asks it to
check addresses) and in the I/O workers (which ask it to listen and dial). Nothing outside compares
a scheme's name: what a transport can do is declared in its `capabilities`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import socket

Options = Mapping[str, Any]
"""Socket options by name, those that were set; a transport knows the defaults of its own."""


class Carries(Enum):
    """What comes out of a transport."""

    STREAM = "stream"  # bytes in order; the worker speaks ZMTP on them
    DIRECT = "direct"  # nothing: both ends are in one process, which joins their pipes itself

    @property
    def is_direct(self) -> bool:
        """Whether no worker is needed."""
        return self is Carries.DIRECT


class Capabilities(NamedTuple):
    """What a transport can do, so that nothing outside needs to know its name."""

    carries: Carries
    shared_memory: bool = False
    """Both ends are on one machine: peers may move over to rings in shared memory."""
    socket_types: frozenset[str] | None = None
    """The socket types that it serves; None: all."""
    subscriptions_travel: bool = True
    """Subscriptions reach the publisher; where not, subscribers filter for themselves."""


class Listener(NamedTuple):
    """A listening stream socket, non-blocking. Whoever has it closes it, through `close`."""

    stream: socket.socket
    address: str  # the real one: wildcards resolved
    close: Callable[[], None]  # also takes away what the address left behind, such as a file


class Transport(Protocol):
    """A transport plugin.

    It must not call back into whoever calls it, nor keep what it is given.
    """

    scheme: str
    capabilities: Capabilities

    def check(self, address: str, *, binding: bool) -> str:
        """Return *address* in its normal form, or raise ZMQError: EINVAL, ENAMETOOLONG, ENODEV.

        Called in the application, before anything is made. Does not block.
        """

    def listen(self, address: str, options: Options) -> Listener:
        """Bind and listen. Called in a worker. Does not block, but for a look at the file system.

        Raises OSError with what the system said: EADDRINUSE, EADDRNOTAVAIL, EACCES, ENOENT, …
        """

    def dial(self, address: str, options: Options) -> socket.socket:
        """Begin to connect.

        Return a non-blocking socket that is writable when the outcome is known.
        Called in a worker, again for each attempt. Does not block. Raises OSError when it is
        known at once that nobody is there (ECONNREFUSED, ENOENT): the worker tries again later.
        """
