"""A socket's options (zmq_setsockopt(3)), and what takes effect the moment one is set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .attendant import one_call
from .attributes import OptionAttributes
from .constants import (
    EINVAL,
    EVENTS,
    FD,
    POLLIN,
    RCVHWM,
    RCVMORE,
    RCVTIMEO,
    ROUTER_RAW,
    ROUTING_ID,
    SNDHWM,
    SNDTIMEO,
    SUBSCRIBE,
    TOPICS_COUNT,
    UNSUBSCRIBE,
    PollEvent,
    SocketOption,
    SocketType,
)
from .errors import ZMQError
from .patterns import new_pattern, raw_router
from .shm.forks import fork_generation
from .socket_base import SocketBase

if TYPE_CHECKING:
    from .context import Context
    from .keepers.keeper import EndpointKeeper
    from .options import OptionValues

_ACTS = (SUBSCRIBE, UNSUBSCRIBE)


class SocketOptions(OptionAttributes, SocketBase):
    """What a socket has for options."""

    _option_names = SocketOption

    options: OptionValues
    _keepers: list[EndpointKeeper]
    _stopped: list[EndpointKeeper]  # unbound, with pipes of those who had connected
    _fd_in_use: bool
    context: Context
    closed: bool

    @one_call
    def set(self, option: int, value: Any) -> None:
        """Set *option* (zmq_setsockopt(3)).

        Raises ZMQError(EINVAL) for an unknown option or a value that it does not take, TypeError
        for a value of the wrong type; nothing is changed then.
        """
        self._open_check()
        if option == ROUTER_RAW:
            self._refuse_raw_midway(value)
        held = self.options.set(option, value)
        if option == ROUTER_RAW:
            self._route_raw()
        if option == SNDTIMEO:
            self.send_timeout_ms = value
        elif option == RCVTIMEO:
            self.receive_timeout_ms = value
        elif option in (SNDHWM, RCVHWM):
            for keeper in (*self._keepers, *self._stopped):
                keeper.marks_changed()
        self.pattern.configure(SocketOption(option).name, held)
        if option in _ACTS:
            self.poll_events(0)

    def _refuse_raw_midway(self, value: Any) -> None:
        """A ROUTER speaks plain TCP to all of its peers or to none, so it is to say which first."""
        routes = self.socket_type == SocketType.ROUTER and bool(self._keepers or self._stopped)
        if routes and isinstance(value, int) and bool(value) != bool(self.options[ROUTER_RAW]):
            raise ZMQError(EINVAL, "ROUTER_RAW is to be set before the first bind or connect")

    def _route_raw(self) -> None:
        """Speak plain TCP, or ZMTP, from now on. A REP takes the option for nothing."""
        raw = self.socket_type == SocketType.ROUTER and bool(self.options[ROUTER_RAW])
        if raw == (self.pattern.name == "STREAM"):
            return
        self.change_pattern(raw_router() if raw else new_pattern(self.socket_type))
        for name, held in self.options.snapshot().items():
            self.pattern.configure(name, held)

    def get(self, option: int) -> Any:
        """Return the value of *option*: an int or bytes.

        Raises ZMQError(EINVAL) when it has none.
        """
        self._open_check()
        if option == RCVMORE:
            return int(self.more)
        if option == EVENTS:
            return PollEvent(self.arm() if self._fd_in_use else self.poll_events())
        if option == FD:
            return self._expose_fd()
        if option == TOPICS_COUNT:
            self.options.get(option)  # raises what stands in the way
            self.poll_events(0)
            return self.pattern.topics_count()
        value = self.options.get(option)
        return value if option != ROUTING_ID else self.pattern.own_routing_id() or value

    setsockopt = set
    getsockopt = get

    @one_call
    def _expose_fd(self) -> int:
        self.__dict__["_fd_in_use"] = True
        self.exposed = True
        if self.arm() & POLLIN:
            self.ring()
        return int(self.board.doorbell.fileno())

    def set_string(self, option: int, optval: str, encoding: str = "utf-8") -> None:
        """Set an option that takes bytes from text."""
        if not isinstance(optval, str):
            raise TypeError(f"set_string takes str, not {type(optval).__name__}: {optval!r}")
        self.set(option, optval.encode(encoding))

    def get_string(self, option: int, encoding: str = "utf-8") -> str:
        """Return an option that has bytes as text."""
        value = self.get(option)
        if not isinstance(value, bytes):
            raise TypeError(f"option {option!r} is not text: {value!r}")
        return value.decode(encoding)

    setsockopt_string = setsockopt_unicode = set_string
    getsockopt_string = getsockopt_unicode = get_string

    def subscribe(self, topic: str | bytes) -> None:
        """Ask for messages that begin with *topic* (SUB)."""
        self.set(SUBSCRIBE, topic.encode() if isinstance(topic, str) else topic)

    def unsubscribe(self, topic: str | bytes) -> None:
        """Take back one subscription to *topic* (SUB)."""
        self.set(UNSUBSCRIBE, topic.encode() if isinstance(topic, str) else topic)

    def set_hwm(self, value: int) -> None:
        """Set both high water marks, SNDHWM and RCVHWM, in messages."""
        self.set(SNDHWM, value)
        self.set(RCVHWM, value)

    def get_hwm(self) -> int:
        """Return SNDHWM."""
        return int(self.get(SNDHWM))

    hwm = property(get_hwm, set_hwm, None, "Both high water marks, in messages.")

    @property
    def socket_type(self) -> SocketType:
        """The socket's type."""
        return SocketType(self.options.socket_type)

    @property
    def type(self) -> SocketType:
        """The socket's type."""
        return self.socket_type

    def fileno(self) -> int:
        """Return FD, so that select and selectors take the socket; see EVENTS for what it tells."""
        return int(self.get(FD))

    def generation_is_stale(self) -> bool:
        """Whether this is a forked child's copy of its parent's socket."""
        return bool(self.context.generation != fork_generation())

    def _is_ended(self) -> bool:
        return bool(self.context.is_terminating)

    def _open_check(self) -> None:
        if self.closed or self._is_ended() or self.generation_is_stale():
            self.poll_events(0)  # raises what stands in the way
