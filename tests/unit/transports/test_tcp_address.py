"""The grammar of tcp addresses: what is taken apart how, and what is refused (zmq_tcp)."""

import errno

import pytest
from shmzmq.transports.tcp.address import Place, Target, parse_binding, parse_target

from shmzmq.errors import ZMQError

TO_BIND = [
    ("*:*", Place("*", 0)),
    ("*:0", Place("*", 0)),
    ("*:5555", Place("*", 5555)),
    ("[*]:1", Place("*", 1)),
    ("eth0:5555", Place("eth0", 5555)),
    ("eth0.100:5555", Place("eth0.100", 5555)),
    ("127.0.0.1:65535", Place("127.0.0.1", 65535)),
    ("[127.0.0.1]:*", Place("127.0.0.1", 0)),
    ("localhost:*", Place("localhost", 0)),
    ("[::1]:5555", Place("::1", 5555)),
    ("::1:5555", Place("::1", 5555)),
    ("[::]:*", Place("::", 0)),
    ("[fe80::1%eth0]:7", Place("fe80::1", 7, "eth0")),
    ("fe80::1%2:7", Place("fe80::1", 7, "2")),
]
TO_CONNECT = [
    ("localhost:5555", Target(Place("localhost", 5555))),
    ("a-b.c_d:1", Target(Place("a-b.c_d", 1))),
    ("127.0.0.1:65535", Target(Place("127.0.0.1", 65535))),
    ("[::1]:5555", Target(Place("::1", 5555))),
    ("::1:5555", Target(Place("::1", 5555))),
    ("[fe80::1%lo]:5555", Target(Place("fe80::1", 5555, "lo"))),
    ("127.0.0.2:0;server:5555", Target(Place("server", 5555), Place("127.0.0.2", 0))),
    ("eth0:*;server:5555", Target(Place("server", 5555), Place("eth0", 0))),
    ("[::1]:77;[::2]:5555", Target(Place("::2", 5555), Place("::1", 77))),
]
NOT_TO_BIND = [
    ("127.0.0.1", errno.EINVAL),
    ("127.0.0.1:", errno.EINVAL),
    ("127.0.0.1:65536", errno.EINVAL),
    ("127.0.0.1:-1", errno.EINVAL),
    ("127.0.0.1:+1", errno.EINVAL),
    ("127.0.0.1: 1", errno.EINVAL),
    ("127.0.0.1:1x", errno.EINVAL),
    ("127.0.0.1:\N{ARABIC-INDIC DIGIT ONE}", errno.EINVAL),
    ("127.0.0.1:http", errno.EINVAL),
    ("[::1]", errno.EINVAL),
    ("[::1:5555", errno.EINVAL),
    ("::1]:5555", errno.EINVAL),
    ("[fe80::1%]:5555", errno.EINVAL),
    ("host%eth0:5555", errno.EINVAL),
    ("127.0.0.1:0;127.0.0.1:1", errno.EINVAL),
    (":5555", errno.ENODEV),
    ("[]:5555", errno.ENODEV),
]
NOT_TO_CONNECT = [
    "127.0.0.1",
    "127.0.0.1:*",
    "127.0.0.1:0",
    "127.0.0.1:65536",
    "*:5555",
    ":5555",
    "a b:5555",
    "-a:5555",
    ".a:5555",
    "a:b:5555",
    "größe:5555",
    "[::1]",
    "[::1:5555",
    "[:::1]:5555",
    ";127.0.0.1:5555",
    "127.0.0.1;127.0.0.1:5555",
    "*:0;127.0.0.1:5555",
    "127.0.0.1:0;",
    "127.0.0.1:0;a;b:1",
    "127.0.0.1:x;127.0.0.1:5555",
]


@pytest.mark.parametrize(("address", "place"), TO_BIND)
def test_addresses_to_bind(address: str, place: Place) -> None:
    assert parse_binding(address) == place


@pytest.mark.parametrize(("address", "target"), TO_CONNECT)
def test_addresses_to_connect_to(address: str, target: Target) -> None:
    assert parse_target(address) == target


@pytest.mark.parametrize(("address", "number"), NOT_TO_BIND)
def test_what_cannot_be_bound(address: str, number: int) -> None:
    with pytest.raises(ZMQError) as caught:
        parse_binding(address)
    assert caught.value.errno == number
    assert repr(address) in str(caught.value)
    assert "expected INTERFACE:PORT" in str(caught.value)


@pytest.mark.parametrize("address", NOT_TO_CONNECT)
def test_what_cannot_be_connected_to(address: str) -> None:
    with pytest.raises(ZMQError) as caught:
        parse_target(address)
    assert caught.value.errno == errno.EINVAL
    assert "expected HOST:PORT" in str(caught.value)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place("127.0.0.1", 5), "127.0.0.1:5"),
        (Place("::1", 5), "[::1]:5"),
        (Place("fe80::1", 5, "eth0"), "[fe80::1%eth0]:5"),
        (Place("*", 0), "*:0"),
    ],
)
def test_places_as_text_can_be_read_again(place: Place, text: str) -> None:
    assert str(place) == text
    assert parse_binding(text) == place


def test_targets_as_text_can_be_read_again() -> None:
    target = Target(Place("::2", 5555), Place("fe80::1", 77, "lo"))
    assert str(target) == "[fe80::1%lo]:77;[::2]:5555"
    assert parse_target(str(target)) == target
