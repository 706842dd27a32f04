"""Calls of one socket that wait in an event loop, each with the future that its caller holds.

A call is tried at once. When it would have to wait it joins the queue of those that receive or of
those that send, and is tried again when the socket's descriptor tells of news. It is only ever
tried for a future that is still wanted, so a call that was cancelled has taken no message.

The descriptor tells of changes. Whoever looks at the socket silences it, and may so find news that
another waits for. Therefore every turn ends with a look at EVENTS, which has the descriptor tell of
what comes from then on, and what holds already is acted upon in another turn.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from .constants import DONTWAIT, EVENTS, POLLIN, POLLOUT
from .errors import Again
from .socket import Socket

# How long until a send is tried again that fails though EVENTS says POLLOUT: with ROUTER_MANDATORY
# it is for one peer only.
_PAUSE_S = 0.005


class Call:
    """One call: its future, *attempt(flags)*, which raises Again, and the end of its time.

    *so_far()* is what it has come to when the time is up: its result, if true.
    """

    __slots__ = ("attempt", "flags", "future", "queued", "so_far", "timer")

    def __init__(
        self,
        future: asyncio.Future[Any],
        attempt: Callable[[int], Any],
        flags: int,
        so_far: Callable[[], Any] | None = None,
    ) -> None:
        self.so_far = so_far
        self.future = future
        self.attempt = attempt
        self.flags = flags | DONTWAIT
        self.queued = False
        self.timer: asyncio.TimerHandle | None = None

    def succeeds(self) -> bool:
        """Try it; whether its future has what came of it, which may be an error."""
        try:
            result = self.attempt(self.flags)
        except Again:
            return False
        except Exception as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)
        return True

    def expire(self, timeout_ms: int) -> None:
        """Its time is up."""
        if self.future.done():
            return
        if self.so_far is not None and (result := self.so_far()):
            self.future.set_result(result)
        else:
            self.future.set_exception(Again(msg=f"not done within {timeout_ms} ms"))


class PendingCalls:
    """The calls that wait on *socket*. Threads: the event loop's; loops: one at a time.

    With *eager* nothing is left with the loop while no call waits: whoever may close the socket
    does not know of the loop.
    """

    def __init__(self, socket: Socket, *, eager: bool) -> None:
        self._socket = weakref.ref(socket)
        self._eager = eager
        self.receiving: deque[Call] = deque()
        self.sending: deque[Call] = deque()
        self.watching: list[tuple[asyncio.Future[None], int]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._fd = -1
        self._soon: asyncio.Handle | None = None  # a look in the loop's next round
        self._later: asyncio.TimerHandle | None = None  # a look after _PAUSE_S

    def is_idle(self) -> bool:
        """Whether nobody waits."""
        return not (self.receiving or self.sending or self.watching)

    def begin(
        self,
        attempt: Callable[[int], Any],
        flags: int,
        event: int,
        timeout_ms: int,
        so_far: Callable[[], Any] | None = None,
    ) -> asyncio.Future[Any]:
        """Return a future of what *attempt* returns, which waits for *event* if it must."""
        loop = asyncio.get_running_loop()
        call = Call(loop.create_future(), attempt, flags, so_far)
        queue = self.sending if event == POLLOUT else self.receiving
        if flags & DONTWAIT:
            if not call.succeeds():
                call.future.set_exception(Again(msg="it would have to wait"))
        elif queue or not call.succeeds():
            alone = event == POLLIN and self.is_idle()
            self._enqueue(queue, call, loop, timeout_ms)
            if alone:
                return call.future  # the descriptor tells of just what it waits for
        if not self.is_idle():
            self.look_soon()
        return call.future

    def _enqueue(
        self, queue: deque[Call], call: Call, loop: asyncio.AbstractEventLoop, timeout_ms: int
    ) -> None:
        if timeout_ms >= 0:
            call.timer = loop.call_later(timeout_ms / 1000, call.expire, timeout_ms)
        self.listen(loop)
        call.queued = True
        queue.append(call)

        def done(_: asyncio.Future[Any]) -> None:
            if call.timer is not None:
                call.timer.cancel()
            if call.queued:
                queue.remove(call)
                self._rest()

        call.future.add_done_callback(done)

    def watch(self, news: asyncio.Future[None], flags: int) -> None:
        """Have *news* done when one of *flags* holds; `unwatch` must follow."""
        self.listen(news.get_loop())
        self.watching.append((news, flags))
        self._look()

    def unwatch(self, news: asyncio.Future[None]) -> None:
        """Forget *news*."""
        self.watching = [entry for entry in self.watching if entry[0] is not news]
        self._rest()

    # -- the loop ----------------------------------------------------------------------------------

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have *loop* say when the descriptor tells of something."""
        socket = self._socket()
        if self._loop is loop or socket is None:
            return
        self._leave_loop()
        for queue in (self.receiving, self.sending):
            for call in [call for call in queue if call.future.get_loop().is_closed()]:
                queue.remove(call)
        self._loop, self._fd = loop, socket.fileno()
        # Not by a strong reference: a socket that nobody has any more is to be closed.
        ourselves = weakref.ref(self)

        def rings() -> None:
            pending = ourselves()
            if pending is not None:
                pending._look()

        loop.add_reader(self._fd, rings)

    def _leave_loop(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._fd)
        self._loop = None
        for look in (self._soon, self._later):
            if look is not None:
                look.cancel()
        self._soon = self._later = None

    def _rest(self) -> None:
        if self._eager and self.is_idle():
            self._leave_loop()

    def look_soon(self) -> None:
        """Look at the socket in the loop's next round: a call may have silenced the descriptor."""
        if self._soon is None and self._loop is not None and not self._loop.is_closed():
            self._soon = self._loop.call_soon(self._look_now)

    def _look_now(self) -> None:
        self._soon = None
        self._look_if_wanted()

    def _look_later(self) -> None:
        # One timer, however often the descriptor rings until then.
        if self._later is None and self._loop is not None:
            self._later = self._loop.call_later(_PAUSE_S, self._look_after_pause)

    def _look_after_pause(self) -> None:
        self._later = None
        self._look_if_wanted()

    def _look_if_wanted(self) -> None:
        if not self.is_idle():
            self._look()

    def _look(self) -> None:
        """Take one turn: try the calls that wait, in their order, and wake those who watch."""
        socket = self._socket()
        if socket is None or socket.closed:
            return
        if self.is_idle():
            self._leave_loop()
            return
        self._try_calls()
        if self.is_idle():
            socket.silence()
        else:
            self._act_upon(_events_of(socket))
        self._rest()

    def _try_calls(self) -> None:
        """Try both queues up to the first call that has to wait on."""
        for queue in (self.receiving, self.sending):
            while queue and (queue[0].future.done() or queue[0].succeeds()):
                queue.popleft().queued = False

    def _act_upon(self, found: int) -> None:
        """Wake those who watch for *found*, and see to it that calls are tried again for it."""
        for news, flags in self.watching:
            if flags & found and not news.done():
                news.set_result(None)
        if self.receiving and found & POLLIN:
            self.look_soon()
        elif self.sending and found & POLLOUT:
            self._look_later()

    def stop(self) -> None:
        """Cancel all calls: the socket is about to be closed."""
        waiting = [call.future for call in (*self.receiving, *self.sending)]
        waiting += [news for news, _ in self.watching]
        self._leave_loop()
        for future in waiting:
            if not future.get_loop().is_closed():
                future.cancel()


def _events_of(socket: Socket) -> int:
    """Return EVENTS, and so have the descriptor tell of what comes from now on."""
    try:
        # Not by socket.get: when the user asks an asyncio socket, that has us look again.
        return int(Socket.get(socket, EVENTS))
    except Exception:  # the context ends: calls say so, and watchers find out
        return POLLIN | POLLOUT
