"""METADATA: "sets a metadata property X-name:value that the peer can read" (zmq_msg_gets)."""

import pytest
from support.library import zmq
from support.links import Link, ipc_only


@ipc_only
def test_the_peer_reads_it(link: Link) -> None:
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL, bind=endpoint)
    link.far(zmq.PUSH, connect=endpoint, metadata=[b"X-colour:red", b"X-size:a:b"]).send(b"hello")
    frame = pull.recv(copy=False)
    assert frame.bytes == b"hello"
    assert frame.get("X-colour") == "red"
    assert frame.get("X-size") == "a:b"
    with pytest.raises(zmq.ZMQError):
        frame.get("X-weight")


@pytest.mark.parametrize("value", [b"colour:red", b"X-colour", b"", b"X-colour:"])
def test_what_is_no_property_is_refused(link: Link, value: bytes) -> None:
    socket = link.near(zmq.PUSH)
    if value == b"X-colour:" and zmq.__name__ == "zmq":
        pytest.skip("libzmq takes an empty value")
    with pytest.raises(zmq.ZMQError) as failure:
        socket.setsockopt(zmq.METADATA, value)
    assert failure.value.errno == zmq.EINVAL
