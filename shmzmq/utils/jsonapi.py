"""JSON as bytes, as `send_json` sends it."""

import json as jsonmod
from typing import Any

__all__ = ["dumps", "jsonmod", "loads"]


def dumps(o: Any, **kwargs: Any) -> bytes:
    """Return *o* as JSON in UTF-8; keywords go to json.dumps. Raises TypeError as that does."""
    return jsonmod.dumps(o, **kwargs).encode()


def loads(s: bytes | str, **kwargs: Any) -> Any:
    """Return what JSON text or bytes stand for; keywords go to json.loads."""
    return jsonmod.loads(s.decode() if isinstance(s, bytes) else s, **kwargs)
