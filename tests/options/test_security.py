"""PLAIN_SERVER, PLAIN_USERNAME, PLAIN_PASSWORD, CURVE_SERVER, CURVE_PUBLICKEY, CURVE_SECRETKEY,
CURVE_SERVERKEY, GSSAPI_SERVER, GSSAPI_PRINCIPAL, GSSAPI_SERVICE_PRINCIPAL and ZAP_DOMAIN: "If you
set this to a non-null value, the security mechanism used for connections shall be PLAIN".

They are not in effect yet. So a socket that asks for a mechanism, or for peers to be authenticated,
has no connections at all, and none in the clear: ENOTSUP.
"""

from typing import Any

import pytest
from support.asked import workers_only
from support.factory import SocketFactory
from support.library import zmq
from support.links import Link

pytestmark = workers_only

KEY = b"k" * 32
ASKED: list[tuple[dict[str, Any], str]] = [
    ({"plain_server": 1}, "PLAIN"),
    ({"plain_username": b"ada", "plain_password": b"lovelace"}, "PLAIN"),
    ({"curve_server": 1, "curve_secretkey": KEY}, "CURVE"),
    ({"curve_publickey": KEY, "curve_secretkey": KEY, "curve_serverkey": KEY}, "CURVE"),
    ({"gssapi_server": 1}, "GSSAPI"),
    ({"gssapi_service_principal": b"host"}, "GSSAPI"),
    ({"zap_domain": b"global"}, "ZAP_DOMAIN"),
]
asked = pytest.mark.parametrize(("options", "named"), ASKED)


@asked
def test_no_connection_is_made_in_the_clear(
    sockets: SocketFactory, endpoint: str, options: dict[str, Any], named: str
) -> None:
    socket = sockets.open(zmq.DEALER, **options)
    for call in (socket.bind, socket.connect):
        with pytest.raises(zmq.ZMQError, match=named) as refused:
            call(endpoint)
        assert refused.value.errno == zmq.ENOTSUP
    assert socket.last_endpoint == b""


@asked
@pytest.mark.parametrize("link", ["inproc"], indirect=True)
def test_within_a_context_there_is_no_mechanism(
    link: Link, options: dict[str, Any], named: str
) -> None:
    near, far = link.pair(zmq.DEALER, zmq.DEALER, options, options)
    far.send(named.encode())
    assert near.recv() == named.encode()


def test_null_again_is_taken(sockets: SocketFactory, endpoint: str) -> None:
    pull = sockets.open(zmq.PULL, plain_server=[1, 0], bind=endpoint)
    pull.setsockopt(zmq.CURVE_SERVER, 1)  # for subsequent binds, which are refused
    sockets.open(zmq.PUSH, plain_username=[b"ada", None], connect=endpoint).send(b"hello")
    assert pull.recv() == b"hello"
    pull.unbind(endpoint)
