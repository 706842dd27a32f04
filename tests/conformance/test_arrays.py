"""numpy arrays and Python objects with large buffers as messages."""

import json
from typing import Any

import numpy as np
import pytest
from support.factory import SocketFactory
from support.library import LIBRARY_NAME, zmq
from support.links import Link, local_only

pytestmark = pytest.mark.skipif(LIBRARY_NAME == "zmq", reason="pyzmq has no send_array")

POINT = np.dtype([("x", "<f8"), ("name", "S5"), ("box", [("lo", ">i2", (2, 3)), ("hi", "u1")])])
ALIGNED = np.dtype([("flag", "u1"), ("value", "f8")], align=True)

ARRAYS: dict[str, Any] = {
    "numbers": np.arange(10.0),
    "no element": np.zeros((3, 0, 2), np.int16),
    "one number": np.array(7),
    "large": np.arange(1 << 18, dtype=np.uint32).reshape(4, -1),
    "Fortran": np.asfortranarray(np.arange(60_000).reshape(200, 300)),
    "every other": np.arange(100_000)[::2],
    "transposed slice": np.arange(120_000).reshape(300, 400)[10:200, 5:].T,
    "other end first": np.arange(9, dtype=">u4"),
    "dates": np.array(["2020-01-01", "NaT"], "M8[D]"),
    "text": np.array(["a", "žluť"]),
    "structured": np.array([(1.5, b"abc", ((np.ones((2, 3))), 4))] * 3, POINT),
    "aligned": np.array([(1, 2.5)] * 4, ALIGNED),
    "booleans": np.array([[True, False]]),
    "complex": np.array([1 + 2j]),
    "dates in twenty-fives": np.array([3, -1], "M8[25s]"),
    "spans of no unit": np.array([3], "m8"),
    "raw octets": np.array([b"abc"], "V3"),
    "no octets": np.zeros(3, "S0"),
    "fields of no octets": np.zeros(3, np.dtype([])),
    "overlapping fields": np.arange(3, dtype="<i4").view(
        {"names": ["all", "low"], "formats": ["<i4", "<i2"], "offsets": [0, 0]}
    ),
    "one field of several": np.zeros(20_000, POINT)["x"],
    "all dimensions": np.ones((1,) * 64),
    "rows that are one": np.broadcast_to(np.arange(3), (40_000, 3)),
}


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("copy", [True, False])
@local_only
def test_an_array_arrives_as_it_is(link: Link, name: str, copy: bool) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    array = ARRAYS[name]
    near.send_array(array)
    got = far.recv_array(copy=copy)
    assert got.dtype == array.dtype
    assert got.shape == array.shape
    np.testing.assert_array_equal(got, array)
    assert got.flags.writeable == copy
    if array.flags.f_contiguous and not array.flags.c_contiguous:
        assert got.flags.f_contiguous


@local_only
def test_the_format_on_the_wire(link: Link) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    near.send_array(np.array([[1, 2], [3, 4]], "<i4").T)
    head, body = far.recv_multipart()
    assert json.loads(head) == {"dtype": "<i4", "shape": [2, 2], "order": "F"}
    assert body == np.array([1, 2, 3, 4], "<i4").tobytes()


@local_only
def test_a_loaned_array_is_the_block_itself(link: Link) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    for order in ("C", "F"):
        loaned = near.loan_array((300, 200), np.float64, order=order)
        loaned[...] = np.arange(60_000.0).reshape(300, 200)
        near.send_array(loaned)
        got = far.recv_array(copy=False)
        np.testing.assert_array_equal(got, np.arange(60_000.0).reshape(300, 200))
        loaned[0, 0] = 99  # which nobody should do; it shows that nothing was copied
        assert got[0, 0] == 99


@local_only
def test_a_part_of_a_loaned_array_is_only_that_part(link: Link) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    loaned = near.loan_array(50_000, np.int32)
    loaned[:] = np.arange(50_000)
    for part in (loaned[1:], loaned[:10], loaned[::3], loaned[::-1]):
        near.send_array(part)
        np.testing.assert_array_equal(far.recv_array(), part)


@local_only
@pytest.mark.parametrize(
    "parts",
    [
        [b"{}"],
        [b"{}", b"", b""],
        [b"not json", b""],
        [b'{"dtype":"O","shape":[1],"order":"C"}', bytes(8)],
        [b'{"dtype":"<f8","shape":[-1],"order":"C"}', bytes(8)],
        [b'{"dtype":"<f8","shape":[1.0],"order":"C"}', bytes(8)],
        [b'{"dtype":"<f8","shape":[2],"order":"C"}', bytes(8)],
        [b'{"dtype":"<f8","shape":[1],"order":"K"}', bytes(8)],
        [b'{"dtype":["<f8"],"shape":[1],"order":"C"}', bytes(8)],
        [b'{"dtype":"M8[s/0]","shape":[1],"order":"C"}', bytes(8)],  # would end the process
        [b'{"dtype":"<M8[0s]","shape":[1],"order":"C"}', bytes(8)],
        [b'{"dtype":"T","shape":[1],"order":"C"}', bytes(16)],  # numpy's strings are pointers
        [b'{"dtype":"float64","shape":[1],"order":"C"}', bytes(8)],
        [b'{"dtype":"u4,u4","shape":[1],"order":"C"}', bytes(8)],
        [b'{"dtype":"(2,)u4","shape":[1],"order":"C"}', bytes(8)],
        [b'{"dtype":"V' + b"9" * 10 + b'","shape":[1],"order":"C"}', bytes(8)],
        [b'{"dtype":"' + b"f" * 100_000 + b'","shape":[1],"order":"C"}', bytes(8)],
        [b'{"dtype":"<f8","shape":[0,1e400],"order":"C"}', b""],
        [b'{"dtype":"<f8","shape":[0,' + b"9" * 30 + b'],"order":"C"}', b""],
        [b'{"dtype":"<f8","shape":[0,' + b"9" * 5000 + b'],"order":"C"}', b""],
        [b'{"dtype":"<f8","shape":[4294967296,4294967296],"order":"C"}', b""],
        [b'{"dtype":"<f8","shape":[' + b"0," * 99 + b'0],"order":"C"}', b""],
        [b'{"dtype":"<f8","shape":{},"order":"C"}', bytes(8)],
        [b'{"dtype":{"base":"<f8","shape":[1073741824]},"shape":[0],"order":"C"}', b""],
        [b'{"dtype":' + b'{"shape":[1],"base":' * 900 + b'"<f8"' + b"}" * 900 + b"}", b""],
        [b"[" * 100_000, b""],
        [
            b'{"dtype":{"names":["a"],"formats":["<f8"],"offsets":[-8],"itemsize":8},'
            b'"shape":[1],"order":"C"}',
            bytes(8),
        ],
        [
            b'{"dtype":{"names":["a"],"formats":["<f8"],"offsets":[4],"itemsize":8},'
            b'"shape":[1],"order":"C"}',
            bytes(8),
        ],
        [
            b'{"dtype":{"names":["a"],"formats":["O"],"offsets":[0],"itemsize":8},'
            b'"shape":[1],"order":"C"}',
            bytes(8),
        ],
    ],
)
def test_what_is_no_array(link: Link, parts: list[bytes]) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    near.send_multipart(parts)
    with pytest.raises(ValueError, match="array") as caught:
        far.recv_array()
    assert len(str(caught.value)) < 1000
    near.send_array(np.ones(3))
    np.testing.assert_array_equal(far.recv_array(), np.ones(3))


@local_only
def test_arrays_of_objects_are_refused(link: Link) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    with pytest.raises(TypeError, match="objects"):
        near.send_array(np.array([object()]))
    with pytest.raises(TypeError, match="objects"):
        near.loan_array(3, object)
    with pytest.raises(ValueError, match="negative"):
        near.loan_array((2, -1))
    near.send(b"next")
    assert far.recv() == b"next"


@local_only
def test_what_would_arrive_as_something_else_is_refused(link: Link) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    with pytest.raises(TypeError, match="cannot be told"):
        near.send_array(np.zeros(2, [(("a title", "name"), "<i4")]))
    with pytest.raises(TypeError, match="mask"):
        near.send_array(np.ma.masked_less(np.arange(4), 2))
    near.send(b"next")
    assert far.recv() == b"next"


def test_a_shape_is_whatever_numpy_takes_for_one(sockets: SocketFactory) -> None:
    near = sockets.open(zmq.PAIR)
    for shape in (3, np.int64(3), (3,), [np.uint8(3)], np.array([3])):
        assert near.loan_array(shape).shape == (3,)
    with pytest.raises(TypeError):
        near.loan_array(3.0)


@local_only
def test_objects_with_their_buffers_outside(link: Link) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    thing = {"big": np.arange(100_000.0), "small": [1, "two"], "bytes": bytearray(b"x" * 50_000)}
    near.send_pyobj(thing, out_of_band=True)
    got = far.recv_pyobj(out_of_band=True)
    np.testing.assert_array_equal(got["big"], thing["big"])
    assert got["small"] == thing["small"]
    got["big"][0] = 5.0
    near.send_pyobj(thing["big"], out_of_band=True)
    view = far.recv_pyobj(out_of_band=True, copy=False)
    np.testing.assert_array_equal(view, thing["big"])
    assert not view.flags.writeable
    near.send_pyobj(thing["big"])  # one part, as pyzmq has it
    assert len(far.recv_multipart()) == 1


@local_only
def test_recv_into_stores_in_place_and_loses_nothing_to_a_bad_buffer(link: Link) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    body = np.arange(100_000, dtype=np.uint16)
    near.send(body)
    with pytest.raises(BufferError):
        far.recv_into(bytes(10))
    with pytest.raises(ValueError, match="nbytes 11"):
        far.recv_into(bytearray(10), nbytes=11)
    for unfit in (
        np.zeros(20, np.uint16)[::2],
        np.zeros((2, 3), order="F"),
        np.zeros(3, object),  # whose addresses would be overwritten
        np.zeros(3, [("Offset", "i4"), ("thing", "O")]),
    ):
        with pytest.raises(BufferError):
            far.recv_into(unfit)
    into = np.zeros(100_000, np.uint16)
    assert far.recv_into(into) == 200_000
    np.testing.assert_array_equal(into, body)


@local_only
@pytest.mark.parametrize(
    "into",
    [np.zeros(2), np.zeros((2, 1), ">i8"), np.zeros(1, [("Offset", "i4"), ("x", "S9")])],
    ids=["numbers", "other end first", "fields"],
)
def test_recv_into_takes_any_array_of_plain_values(link: Link, into: Any) -> None:
    near, far = link.pair(zmq.PAIR, zmq.PAIR)
    near.send(b"8 octets")
    assert far.recv_into(into) == 8
    assert into.tobytes() == b"8 octets".ljust(into.nbytes, b"\0")
    near.send(b"8 octets")
    assert far.recv_into(np.zeros((0, 3))) == 8  # of which there was room for none
    near.send(b"next")
    assert far.recv() == b"next"
