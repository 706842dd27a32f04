"""Numbers that stand for sockets and contexts."""


def cast_int_addr(n: int) -> int:
    """Return the number that *n* is. Raises ValueError for anything but an int."""
    if not isinstance(n, int):
        raise ValueError(f"cannot take {n!r} for the number of a socket or context")
    return n
