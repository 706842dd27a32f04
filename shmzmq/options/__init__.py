"""Socket options: one table that says everything about each, and what one socket has set.

spec, bounds   a row of the table, and what values it takes
core, patterns, streams, security, multicast   the rows, by who acts on them
table          all rows, by number and by name
store          the values of one socket
"""

from .spec import Held, OptionSpec, OptionValue
from .store import OptionValues
from .table import BY_NAME, BY_NUMBER, OPTIONS, find

__all__ = [
    "BY_NAME",
    "BY_NUMBER",
    "OPTIONS",
    "Held",
    "OptionSpec",
    "OptionValue",
    "OptionValues",
    "find",
]
