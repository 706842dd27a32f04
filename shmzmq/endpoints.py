"""Endpoints as the user writes them: ``transport://address``."""

from __future__ import annotations

import errno
from typing import NamedTuple

from .errors import ZMQError


class Endpoint(NamedTuple):
    """An endpoint, taken apart; what the address means is the transport's to say."""

    scheme: str
    address: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.address}"


def parse_endpoint(endpoint: str | bytes) -> Endpoint:
    """Take *endpoint* apart.

    Raises ZMQError(EINVAL) when it is not ``transport://address``, TypeError when it is not text.
    """
    if isinstance(endpoint, bytes):
        endpoint = endpoint.decode("utf-8", "surrogateescape")
    if not isinstance(endpoint, str):
        raise TypeError(
            f"an endpoint is a str or bytes, not {type(endpoint).__name__}: {endpoint!r}"
        )
    scheme, separator, address = endpoint.partition("://")
    if not scheme or not separator or not address:
        raise ZMQError(
            errno.EINVAL, f"{endpoint!r} is not an endpoint; expected 'transport://address'"
        )
    return Endpoint(scheme, address)
