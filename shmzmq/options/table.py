"""The option table: every socket option there is, by number and by name.

The rows stand with their owners (core, patterns, streams, security, multicast). An option has one
row and one test of its effect; set, get, attribute access and the reference page go by the row.
"""

from ..constants import EINVAL, SocketOption
from ..errors import ZMQError
from . import core, multicast, patterns, security, streams
from .spec import OptionSpec

OPTIONS: tuple[OptionSpec, ...] = (
    *core.ROWS,
    *patterns.ROWS,
    *streams.ROWS,
    *security.ROWS,
    *multicast.ROWS,
)

BY_NUMBER: dict[int, OptionSpec] = {spec.number: spec for spec in OPTIONS}

# In capitals and without ZMQ_, the other names of an option too.
BY_NAME: dict[str, OptionSpec] = {
    name: BY_NUMBER[number]
    for name, number in SocketOption.__members__.items()
    if number in BY_NUMBER
}


def find(number: int) -> OptionSpec:
    """Return the row of the option with this number.

    Raises:  ZMQError, EINVAL, for a number that no option has, and for the options of libzmq that
             are not offered here (NORM_*, WSS_*, and HWM and BLOCKY, which libzmq itself refuses).
             TypeError for what is no number.
    """
    spec = BY_NUMBER.get(number)
    if spec is not None:
        return spec
    if not isinstance(number, int):
        raise TypeError(f"a socket option is an int, not {type(number).__name__} {number!r}")
    try:
        shown = f"{SocketOption(number).name} ({int(number)}) is not offered"
    except ValueError:
        shown = f"{int(number)} is unknown"
    raise ZMQError(EINVAL, f"socket option {shown}; expected a number of shmzmq.options.OPTIONS")
