"""A context's I/O workers: events that come from them, and another process when one has ended."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from .attendant import attendant
from .constants import ContextOption
from .context_options import ContextOptions
from .errors import ZMQError
from .keepers.far_end import FarEnd, PeerBoards, refuse
from .keepers.keeper import Replaced
from .shm import segment as segments
from .shm.board import Control

if TYPE_CHECKING:
    import weakref

    from .keepers.keeper import EndpointKeeper
    from .monitor import Monitor
    from .shm.board import Board
    from .shm.directory import Directory
    from .socket import Socket
    from .workers.link import WorkerGone, WorkerLink
    from .workers.pool import WorkerPool


class Supervised(ContextOptions):
    """What a context has for its workers. Endpoints and sockets go by their keys."""

    lock: threading.RLock
    directory: Directory
    keepers: dict[int, EndpointKeeper]  # by endpoint
    lingering: dict[int, int]  # endpoint -> its socket, which is closed or has disconnected
    monitors: dict[int, Monitor]  # by socket
    peer_boards: PeerBoards
    _pool: WorkerPool | None
    _sockets: weakref.WeakValueDictionary[int, Socket]
    _boards_in_use: dict[int, Board]  # of closed sockets with endpoints that linger
    _changed: threading.Condition
    _postponed: list[tuple[EndpointKeeper, Any, FarEnd | None]]

    def choose_worker(self, affinity: int) -> WorkerLink:
        """Return the worker for a new endpoint; one is started when it is first needed.

        Raises ZMQError: EMTHREAD when *affinity* selects none, or what keeps one from starting.
        """
        with self.lock:
            pool = self._pool
            if pool is None:
                from .workers.pool import WorkerPool

                pool = self.__dict__["_pool"] = WorkerPool(
                    self.directory, self._placement, self.pool
                )
            link = pool.choose(affinity, self.get(ContextOption.IO_THREADS))
            attendant().watch(link, self)
            return link

    def watch_workers(self) -> None:
        """Have the attendant, which may have forgotten this context, look after its workers."""
        with self.lock:
            for link in [] if self._pool is None else self._pool.links():
                attendant().watch(link, self)
        attendant().prompt(self)

    def collect_events(self, caller: Socket | None = None) -> None:
        """Take what the workers have written and lay each event before the socket that it is about.

        A socket acts upon its events on the thread that uses it; those other than *caller* are
        told.
        """
        if self._pool is None:
            return
        from .workers.link import WorkerGone

        with self.lock:
            for link in self._pool.links():
                try:
                    for event, fds in link.collect():
                        monitored = getattr(event, "monitored", None)
                        if monitored is not None:
                            self._tell_monitor(monitored, link, event)
                            continue
                        keeper = self.keepers.get(getattr(event, "endpoint", -1))
                        self._lay(keeper, event, fds, caller)
                except WorkerGone as gone:
                    self.replace_worker(gone)

    def _tell_monitor(self, monitored: int, link: WorkerLink, event: Any) -> None:
        monitor = self.monitors.get(monitored)
        if monitor is not None:
            monitor.hear(link, event)

    def _lay(
        self,
        keeper: EndpointKeeper | None,
        event: Any,
        fds: list[int],
        caller: Socket | None = None,
    ) -> None:
        if keeper is None:
            refuse(event, fds)  # its endpoint is gone
        elif keeper.key in self.lingering:
            self._handle(keeper, event, self.peer_boards.take_in(event, fds))
        elif keeper.socket.closed:
            refuse(event, fds)
        else:
            keeper.socket.events.append((keeper, event, self.peer_boards.take_in(event, fds)))
            if keeper.socket is not caller:
                keeper.socket.board.notify(Control.EVENT)
                attendant().prompt(self)

    def _handle(self, keeper: EndpointKeeper, event: Any, far_end: FarEnd | None) -> None:
        """Act for an endpoint that lingers: no call will, and none hears of what goes wrong."""
        try:
            keeper.handle(event, far_end)
        except ZMQError as error:
            self.report(f"{keeper.endpoint}: {error}")

    def postpone(self, event: tuple[EndpointKeeper, Any, FarEnd | None]) -> None:
        """Have *event*, of an endpoint that lingers, come again in a while."""
        self._postponed.append(event)

    def attend(self) -> bool:
        """Act upon the workers' events on the attendant's thread.

        Sockets with a call under way are left to it; false when there were any.
        """
        with self.lock:
            postponed = list(self._postponed)
            self._postponed.clear()
            for keeper, event, far_end in postponed:
                if keeper.key in self.lingering:
                    self._handle(keeper, event, far_end)
            try:
                self.collect_events()
            except ZMQError as error:
                self.report(f"{error}, and no other takes its place")
                self._do_without_workers(error)
            sockets = [socket for socket in self._sockets.values() if socket.is_behind]
        return all([socket.attend() for socket in sockets]) and not self._postponed

    def replace_worker(self, gone: WorkerGone) -> None:
        """Start a worker process in place of one that ended, and have it do what that one did.

        Raises ZMQError when none can be started, or they keep ending.
        """
        with self.lock:
            link, pid = gone.link, gone.pid
            if not link.is_gone:
                return  # another thread was faster
            attendant().forget(link)
            link.restart()
            attendant().watch(link, self)
            segments.sweep()  # what that process left
            for monitor in self.monitors.values():
                monitor.worker_died(link)
            for key, board in self._boards_behind(link).items():
                link.add_socket(key, board)
                if key in self.monitors:
                    self._sockets[key].announce_monitor(link)
            for keeper in list(self.keepers.values()):
                if keeper.worker is link:
                    self._lay(keeper, Replaced(keeper.key, pid), [])

    def _boards_behind(self, link: WorkerLink) -> dict[int, Board]:
        """Return the boards of the sockets that have endpoints with the worker *link*."""
        open_now = {key: socket.board for key, socket in self._sockets.items()}
        boards = {**self._boards_in_use, **open_now}
        keys = [keeper.socket.key for keeper in self.keepers.values() if keeper.worker is link]
        return {key: boards[key] for key in keys if key in boards}

    def _do_without_workers(self, error: ZMQError) -> None:
        """Nobody is left to hand over what lingers; the next call of each socket raises *error*."""
        if self.lingering:
            self.report(f"{len(self.lingering)} endpoints were not handed over")
        self.lingering.clear()
        self._changed.notify_all()
        for socket in self._sockets.values():
            socket.fail(error)

    def settled(self, endpoint: int) -> None:
        """An endpoint that lingered is done with.

        With a closed socket's last one its board goes.
        """
        socket = self.lingering.pop(endpoint)
        if socket not in self.lingering.values():
            board = self._boards_in_use.pop(socket, None)
            if board is not None:  # else the socket is still open, and has disconnected only
                board.segment.unlink()
        self._changed.notify_all()

    def report(self, text: str) -> None:
        """Log what went wrong behind the program's back, under the logger ``shmzmq``."""
        import logging

        logging.getLogger("shmzmq").warning("%r: %s", self, text)
