"""How figures and sizes are written, and how sizes are read."""

import re

UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
FACTORS = {None: 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def format_figure(value: float) -> str:
    """Return `value` with about three digits that matter."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}"


def format_ratio(value: float) -> str:
    """Return `value` as a number of times."""
    return f"{format_figure(value)} x"


def format_size(size: int) -> str:
    """Return a number of bytes in the largest unit that divides it."""
    for unit, factor in reversed(UNITS.items()):
        if size >= factor and size % factor == 0:
            return f"{size // factor} {unit}"
    return f"{size} B"


def parse_size(text: str) -> int:
    """Return the bytes in texts like 64, 64k, 1M, 1 MiB. Raises ValueError."""
    found = re.fullmatch(r"(\d+)\s*(?:([kmg])i?)?b?", text.strip().lower())
    size = int(found[1]) * FACTORS[found[2]] if found else 0
    if size <= 0:
        raise ValueError(f"{text!r} is no message size; give bytes, or a number with k, M or G")
    return size
