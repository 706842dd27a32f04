"""Which addresses a connection has at its ends, seen from the peer's side."""

import pytest
from support.factory import SocketFactory
from support.library import zmq
from support.plain import Plain


@pytest.mark.parametrize(
    ("address", "source"), [("127.0.0.2:0", "127.0.0.2"), ("lo:*", "127.0.0.1")]
)
def test_source_addresses(plain: Plain, sockets: SocketFactory, address: str, source: str) -> None:
    listener = plain.listener()
    endpoint = f"tcp://{address};127.0.0.1:{listener.getsockname()[1]}"
    push = sockets.open(zmq.PUSH, connect=endpoint)
    assert plain.accept(listener).getpeername()[0] == source
    assert push.last_endpoint == endpoint.encode()


def test_host_names(plain: Plain, sockets: SocketFactory) -> None:
    server = sockets.open(zmq.PUSH, bind="tcp://localhost:*")
    assert server.last_endpoint.startswith(b"tcp://127.0.0.1:")
    plain.connect(server.last_endpoint)
    listener = plain.listener()
    sockets.open(zmq.PUSH, connect=f"tcp://localhost:{listener.getsockname()[1]}")
    plain.accept(listener)
