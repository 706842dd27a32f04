"""Text and bytes by the names that programs once needed for Python 2."""

bytes = bytes
unicode = str
basestring = (str,)


def cast_bytes(s: "bytes | str", encoding: str = "utf8", errors: str = "strict") -> bytes:
    """Return text encoded, and bytes as they are. Raises TypeError for anything else."""
    if isinstance(s, bytes):
        return s
    if isinstance(s, str):
        return s.encode(encoding, errors)
    raise TypeError(f"expected str or bytes, not {type(s).__name__}: {s!r}")


def cast_unicode(s: "bytes | str", encoding: str = "utf8", errors: str = "strict") -> str:
    """Return bytes decoded, and text as it is. Raises TypeError for anything else."""
    if isinstance(s, bytes):
        return s.decode(encoding, errors)
    if isinstance(s, str):
        return s
    raise TypeError(f"expected str or bytes, not {type(s).__name__}: {s!r}")


b = asbytes = cast_bytes
u = cast_unicode

__all__ = ["asbytes", "b", "basestring", "bytes", "cast_bytes", "cast_unicode", "u", "unicode"]
