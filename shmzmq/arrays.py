"""numpy arrays as messages, without pickle and, where memory is shared, without a copy.

An array is a message of two parts, which any ZeroMQ peer can make and read:

 1. UTF-8 JSON, ``{"dtype": …, "shape": [3, 4], "order": "C"}``. *dtype* is numpy's type string
    (``"<f8"``), or for structured types ``{"names": […], "formats": […], "offsets": […],
    "itemsize": n}``, or for subarrays ``{"base": …, "shape": […]}``; formats and base are types
    again. *order* is "C" (last index fastest) or "F". A type string is that of numpy's array
    interface: byte order, kind, size, and the unit of dates; no names, and no lists of types.
 2. The elements in that order, nothing between them.
"""

from __future__ import annotations

import functools
import math
import operator
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from .message import Frame, MessageTracker
from .message_formats import MessageFormats
from .shm.lender import Loan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import DTypeLike, NDArray

Order = Literal["C", "F"]

# A header comes from outside, and numpy's own parser takes far more than dtype.str ever says, down
# to units that divide by zero (M8[s/0]), which end the process.
_TYPE = re.compile(
    r"[<>|=]?(?:[biufcSUV][0-9]{1,10}"
    r"|[mM]8(?:\[(?:[1-9][0-9]{0,9})?(?:[YMWDhms]|ms|us|ns|ps|fs|as)\])?)"
)
# Headers up to this size are remembered with what they say; a peer decides how large they are.
_KEPT = 1024
# What numpy raises for values of the right kind that make no type or no array.
_WRONG = (ValueError, TypeError, KeyError, OverflowError, MemoryError, RecursionError)


class ArrayFormats(MessageFormats):
    """The methods of a socket that send and receive numpy arrays."""

    def send_array(self, array: NDArray[Any], flags: int = 0) -> MessageTracker | None:
        """Send *array* as a message of two parts: what it is, and its elements.

        One from loan_array is not copied. Any other is copied once, also when it is not contiguous.
        Blocks and raises as `send` does, and nothing of the message is sent then. Raises TypeError
        for elements that are Python objects, for types that the header cannot tell (fields with
        titles, types that other packages add to numpy), and for masked arrays.
        """
        import numpy as np

        masked = sys.modules.get("numpy.ma")  # without which there is no masked array
        if masked is not None and masked.isMaskedArray(array):
            raise TypeError("a masked array would lose its mask: send its data and its mask")
        array = np.asarray(array)
        order: Order = "C" if array.flags.c_contiguous or not array.flags.f_contiguous else "F"
        header = _header_of(array.dtype, array.shape, order)
        return self.send_multipart([header, self._octets(array, order)], flags)

    def _octets(self, array: NDArray[Any], order: Order) -> Any:
        """Return the elements of *array* in *order* as something that send takes."""
        import numpy as np

        loan = _loan_of(array)
        if loan is not None:
            return loan
        if array.size == 0 or array.dtype.itemsize == 0:
            return b""
        if array.flags.c_contiguous or array.flags.f_contiguous:
            return array.reshape(-1, order=order).view(np.uint8)
        gathered = self.loan_array(array.shape, array.dtype)
        gathered[...] = array
        return _loan_of(gathered)

    def recv_array(self, flags: int = 0, copy: bool = True) -> NDArray[Any]:
        """Receive an array that was sent with send_array, or by any peer in its format.

        With *copy* it is the caller's own. Without, it is a view that cannot be written to; where
        memory is shared it lies in the sender's block, which returns when the last view is dropped.
        Blocks and raises as `recv` does. Raises ValueError for a message that is no array; the
        message is gone then.
        """
        parts: list[Frame] = self.recv_multipart(flags, copy=False)
        array = _array_of(parts)
        return array.copy(order="K") if copy else array

    def loan_array(
        self, shape: int | Sequence[int], dtype: DTypeLike = float, order: Order = "C"
    ) -> NDArray[Any]:
        """Return an array of undefined content to be filled and sent with send_array, uncopied.

        See `loan` for where its memory comes from, and how long that may take. Raises TypeError for
        a *dtype* of Python objects, ValueError for a negative shape.
        """
        import numpy as np

        kind = np.dtype(dtype)
        if kind.hasobject:
            raise TypeError(f"a loan cannot hold Python objects, as {kind} does")
        extents = _extents_of(shape)
        if any(extent < 0 for extent in extents):
            raise ValueError(f"a shape has no negative extents: {extents}")
        loan = self.loan(math.prod(extents) * kind.itemsize)
        return np.ndarray(extents, kind, buffer=memoryview(loan), order=order)


def _loan_of(array: NDArray[Any]) -> Loan | None:
    """Return the loan that *array* is all of, contiguously; None when there is none."""
    import numpy as np

    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    loan = base.obj if isinstance(base, memoryview) else base
    if not isinstance(loan, Loan) or array.nbytes != loan.nbytes or not array.nbytes:
        return None
    start = np.frombuffer(memoryview(loan), np.uint8).ctypes.data
    whole = array.flags.c_contiguous or array.flags.f_contiguous
    return loan if whole and array.ctypes.data == start else None


def _extents_of(shape: Any) -> tuple[int, ...]:
    """Return *shape* as a tuple; as for numpy, it may be one number of any integer type."""
    try:
        return (operator.index(shape),)
    except TypeError:
        return tuple(operator.index(extent) for extent in shape)


@functools.lru_cache  # most programs send arrays of few types and shapes
def _header_of(dtype: np.dtype[Any], shape: tuple[int, ...], order: Order) -> bytes:
    """Return the first part of the message. Raises TypeError for a type that it cannot tell."""
    import json  # it takes a while, and most programs send no arrays

    _check_type(dtype)
    header = {"dtype": _describe(dtype), "shape": shape, "order": order}
    return json.dumps(header, separators=(",", ":")).encode()


def _check_type(dtype: np.dtype[Any]) -> None:
    """Raise TypeError unless the far end can make *dtype* of what _describe says of it."""
    if dtype.hasobject:
        raise TypeError(f"an array of {dtype} holds Python objects: use send_pyobj")
    try:
        same = _dtype_of(_describe(dtype)) == dtype
    except _WRONG:
        same = False
    if not same:
        raise TypeError(f"the type {dtype} cannot be told to the far end: use send_pyobj")


def _describe(dtype: np.dtype[Any]) -> Any:
    """Return *dtype* as it stands in the header."""
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return {"base": _describe(base), "shape": shape}
    if dtype.names is None:
        return dtype.str
    fields = [dtype.fields[name] for name in dtype.names] if dtype.fields else []
    return {
        "names": dtype.names,
        "formats": [_describe(field[0]) for field in fields],
        "offsets": [field[1] for field in fields],
        "itemsize": dtype.itemsize,
    }


def _dtype_of(described: Any) -> np.dtype[Any]:
    """Undo _describe. Raises one of _WRONG for what is no type."""
    import numpy as np

    if isinstance(described, str):
        if _TYPE.fullmatch(described) is None:
            raise ValueError(f"the type {described:.80}")
        return np.dtype(described)
    if "base" in described:
        return np.dtype((_dtype_of(described["base"]), tuple(described["shape"])))
    kind: Any = {
        "names": described["names"],
        "formats": [_dtype_of(one) for one in described["formats"]],
        "offsets": described["offsets"],
        "itemsize": described["itemsize"],
    }
    dtype: np.dtype[Any] = np.dtype(kind)
    return dtype


def _array_of(parts: Sequence[Frame]) -> NDArray[Any]:
    """Return the array that a message is. Raises ValueError when it is none."""
    import numpy as np

    if len(parts) != 2:
        raise ValueError(f"an array is a message of 2 parts, and this one has {len(parts)}")
    head, body = parts
    try:
        read = _read_header if len(head) <= _KEPT else _read_header.__wrapped__
        dtype, shape, order = read(head.bytes)
        needed = math.prod(shape) * dtype.itemsize
        if needed == len(body):
            return np.ndarray(shape, dtype, buffer=body.buffer, order=order)
    except _WRONG as error:
        shown = f"{head.bytes[:200]!r} does not describe an array: {error!s:.200}"
        raise ValueError(shown) from error
    raise ValueError(
        f"{len(body)} bytes are no array of {dtype!s:.200} with the shape {shape!s:.200}, "
        f"which has {needed}"
    )


@functools.lru_cache
def _read_header(head: bytes) -> tuple[np.dtype[Any], tuple[int, ...], Order]:
    """Return type, shape and order of an array. Raises one of _WRONG for what is no header."""
    import json

    header = json.loads(head)
    dtype = _dtype_of(header["dtype"])
    shape, order = header["shape"], header["order"]
    if dtype.hasobject or order not in ("C", "F"):
        raise ValueError(f"{dtype} in order {order!r}")
    if type(shape) is not list or any(type(one) is not int or one < 0 for one in shape):
        raise ValueError(f"the shape {shape}")
    return dtype, tuple(shape), order
