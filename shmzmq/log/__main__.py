"""Shows the log records that PUBHandlers publish: ``python -m shmzmq.log ENDPOINT``."""

import argparse
import re
import sys
from datetime import datetime

from ..constants import SUB
from ..context import Context

_COLOURS = {"DEBUG": 34, "INFO": 32, "WARNING": 33, "ERROR": 31, "CRITICAL": 35}
_LEVEL = re.compile(rf"(?:^|\.)({'|'.join(_COLOURS)})(?:\.|$)")


def coloured(text: str, level: str) -> str:
    """Return *text* in the colour of *level*, for a terminal."""
    return f"\x1b[{_COLOURS[level]}m{text}\x1b[0m" if level in _COLOURS else text


def line(topic: str, message: str, options: argparse.Namespace) -> str:
    """Return the line that is shown for a record."""
    found = _LEVEL.search(topic)
    level = found.group(1) if found else ""
    columns = [coloured(topic, level) if options.color else topic, message.rstrip("\n")]
    if options.timestamp:
        columns.insert(0, datetime.now().strftime(options.dateformat))
    return str(options.separator).join(columns)


def main() -> None:
    """Show records until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m shmzmq.log", description=__doc__)
    parser.add_argument("endpoint", help="where the PUBHandler is bound, such as tcp://host:5555")
    parser.add_argument("-t", "--topic", default="", help="show only topics that begin so")
    parser.add_argument("--timestamp", action="store_true", help="show when a record came")
    parser.add_argument("--dateformat", default="%Y-%m-%d %H:%M:%S", help="as strftime has it")
    parser.add_argument("--separator", default=" | ", help="what stands between columns")
    parser.add_argument(
        "--color",
        action=argparse.BooleanOptionalAction,
        default=sys.stdout.isatty(),
        help="colour topics by their level; on a terminal unless told otherwise",
    )
    options = parser.parse_args()
    with Context() as context, context.socket(SUB) as socket:
        socket.connect(options.endpoint)
        socket.subscribe(options.topic)
        try:
            while True:
                topic, *rest = (part.decode(errors="replace") for part in socket.recv_multipart())
                print(line(topic, "".join(rest), options), flush=True)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
