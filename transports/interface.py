"""What a transport offers, slot by slot.

A transport is one object without state of its own; it lives in the application (which asks it to
check addresses) and in the I/O workers (which ask it to listen and dial). Nothing outside compares
a scheme's name: what a transport can do is declared in its `capabilities`.
"""

from __future__ import annotations

import errno
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


Dialling = tuple[str, Options]
"""An address and options to listen on or to dial, in which nothing needs to be looked up."""


class Opening(Protocol):
    """What is said on a fresh connection before it carries anything, to a proxy for instance.

    Sans-IO. When `wanted` is 0 and all is sent, the connection is there.
    """

    @property
    def wanted(self) -> int:
        """How many octets may be given next, at most; 0: it is done."""

    def data_to_send(self) -> bytes:
        """Return what is to be sent now; it is not returned again."""

    def receive_data(self, data: bytes) -> None:
        """Take up to `wanted` octets.

        Raises OSError when the connection does not come about.
        """


class Transport(Protocol):
    """A transport plugin, a subclass of this. Slots that have a body here need not be filled.

    It must not call back into whoever calls it, nor keep what it is given.
    """

    scheme: str
    capabilities: Capabilities

    def check(self, address: str, *, binding: bool) -> str:
        """Return *address* in its normal form, or raise ZMQError: EINVAL, ENAMETOOLONG, ENODEV.

        Called in the application, before anything is made. Does not block, asks nobody.
        """
        ...

    def lookup(
        self, address: str, options: Options, *, binding: bool
    ) -> Callable[[], Dialling] | None:
        """Return what finds out where *address* is if that may block, None if there is no need.

        Called in a worker, before `listen` and before each `dial`, and does not block. What it
        returns is called in a thread of its own and may; the worker then goes on with the address
        and the options that it returns. Both raise OSError: ENODEV, EHOSTUNREACH, EINVAL, …
        """
        return None

    def listen(self, address: str, options: Options) -> Listener:
        """Bind and listen. Called in a worker. Does not block, but for a look at the file system.

        Raises OSError with what the system said: EADDRINUSE, EADDRNOTAVAIL, EACCES, ENOENT, …
        """
        ...

    def adopt(self, stream: socket.socket, options: Options) -> Listener:
        """Accept on *stream*, which the application made (USE_FD) and which listens already.

        Called in a worker, instead of `listen`. Owns *stream* if it returns. Does not block. Raises
        OSError: EINVAL for a socket of the wrong kind, EOPNOTSUPP where there is no such thing.
        """
        raise OSError(errno.EOPNOTSUPP, f"{self.scheme}:// takes no ready-made sockets (USE_FD)")

    def dial(self, address: str, options: Options) -> socket.socket:
        """Begin to connect.

        Return a non-blocking socket that is writable when the outcome is known; SO_ERROR tells it.
        Called in a worker, again for each attempt. Does not block. Raises OSError when it is
        known at once that nobody is there (ECONNREFUSED, ENOENT): the worker tries again later.
        """
        ...

    def opening(self, address: str, options: Options) -> Opening | None:
        """Return what has to be said first on a socket that `dial` has connected; None: nothing.

        Called in a worker with the same arguments as `dial`. Does not block.
        """
        return None

    def opened(self, stream: socket.socket, options: Options, *, accepted: bool) -> str:
        """Make a connection ready, and return the peer's address as its messages tell it.

        Called in a worker for every connection, once, before its first octet is read: with
        *accepted* where the peer connected to us, else where `dial` has worked. Does not block.
        Raises PermissionError when filters among the options keep the peer out, other OSErrors when
        an option cannot be set or the peer has gone; the worker then closes *stream*.
        """
        return ""
