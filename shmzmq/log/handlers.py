"""Handlers for `logging` that publish records.

A message has two parts: the topic, and the record as the formatter has it. The topic is the root
topic, the level's name, and a subtopic, if there is one, with dots between them. A record whose
message begins with ``subtopic::`` has that subtopic.
"""

from __future__ import annotations

import logging
from logging import CRITICAL, DEBUG, ERROR, INFO, NOTSET, WARNING
from typing import Any

from ..constants import PUB
from ..context import Context
from ..socket import Socket

__all__ = ["TOPIC_DELIM", "PUBHandler", "TopicLogger"]

TOPIC_DELIM = "::"

_PLACE = "%(levelname)s %(filename)s:%(lineno)d - %(message)s"


class PUBHandler(logging.Handler):
    """Publishes records on a PUB socket.

    *interface_or_socket* is a PUB socket, or an endpoint to bind one of *context* to, or of a new
    context. Each level has a formatter in `formatters`. Threads: any, as `logging` calls handlers
    one at a time. Raises what Socket.bind raises.
    """

    ctx: Context
    socket: Socket

    def __init__(
        self,
        interface_or_socket: str | Socket,
        context: Context | None = None,
        root_topic: str = "",
    ) -> None:
        super().__init__()
        self.root_topic = root_topic
        self.formatters = {
            DEBUG: logging.Formatter(f"{_PLACE}\n"),
            INFO: logging.Formatter("%(message)s\n"),
            WARNING: logging.Formatter(f"{_PLACE}\n"),
            ERROR: logging.Formatter(f"{_PLACE} - %(exc_info)s\n"),
            CRITICAL: logging.Formatter(f"{_PLACE}\n"),
        }
        if isinstance(interface_or_socket, Socket):
            self.socket = interface_or_socket
            self.ctx = self.socket.context
        else:
            self.ctx = context or Context()
            self.socket = self.ctx.socket(PUB)
            self.socket.bind(interface_or_socket)

    @property
    def root_topic(self) -> str:
        """What every topic begins with; may be empty, and may be set from bytes."""
        return self._root_topic

    @root_topic.setter
    def root_topic(self, value: str | bytes) -> None:
        self._root_topic = value.decode() if isinstance(value, bytes) else value

    def setRootTopic(self, root_topic: str | bytes) -> None:
        """Set `root_topic`."""
        self.root_topic = root_topic

    def setFormatter(self, fmt: logging.Formatter | None, level: int = NOTSET) -> None:
        """Have records of *level* formatted by *fmt*; NOTSET: those of every level."""
        if fmt is None:
            fmt = logging.Formatter()
        if level == NOTSET:
            self.formatters = dict.fromkeys(self.formatters, fmt)
        else:
            self.formatters[level] = fmt

    def format(self, record: logging.LogRecord) -> str:
        """Return *record* as its level's formatter has it; one without has INFO's."""
        return self.formatters.get(record.levelno, self.formatters[INFO]).format(record)

    def emit(self, record: logging.LogRecord) -> None:
        """Publish *record*. What goes wrong is reported as logging.Handler.handleError does."""
        try:
            topic, _, message = str(record.msg).rpartition(TOPIC_DELIM)
            if topic:
                record = logging.makeLogRecord(vars(record) | {"msg": message})
            names = (self.root_topic, record.levelname, topic)
            topics = ".".join(name for name in names if name)
            self.socket.send_multipart([topics.encode(), self.format(record).encode()])
        except Exception:
            self.handleError(record)


class TopicLogger(logging.Logger):
    """A logger whose calls have a subtopic before the message, for `PUBHandler`.

    ``logger.info("subtopic", "message %s", argument)``
    """

    def log(self, level: int, topic: str, msg: str, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Log *msg* under *topic*."""
        super().log(level, f"{topic}{TOPIC_DELIM}{msg}", *args, **kwargs)


def _of_level(name: str) -> Any:
    plain = getattr(logging.Logger, name)

    def call(self: TopicLogger, topic: str, msg: str, *args: Any, **kwargs: Any) -> None:
        plain(self, f"{topic}{TOPIC_DELIM}{msg}", *args, **kwargs)

    call.__name__ = name
    call.__doc__ = f"Log *msg* under *topic*, as Logger.{name} logs."
    return call


for _name in ("debug", "info", "warning", "error", "critical"):
    setattr(TopicLogger, _name, _of_level(_name))
