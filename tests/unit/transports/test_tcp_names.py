"""What hosts and interfaces stand for."""

import errno
import socket

import pytest
from shmzmq.transports.tcp import names
from shmzmq.transports.tcp.address import Place
from shmzmq.transports.tcp.names import SocketAddress

V4, V6 = socket.AF_INET, socket.AF_INET6


@pytest.mark.parametrize(
    ("host", "family", "found"),
    [
        ("*", V4, ("0.0.0.0", 7)),
        ("*", V6, ("::", 7, 0, 0)),
        ("lo", V4, ("127.0.0.1", 7)),
        ("127.0.0.1", V4, ("127.0.0.1", 7)),
        ("127.1", V4, ("127.0.0.1", 7)),
        ("127.0.0.1", V6, ("::ffff:127.0.0.1", 7, 0, 0)),
        ("::1", V6, ("::1", 7, 0, 0)),
        ("nosuch0", V4, None),
        ("localhost", V4, None),
        ("", V4, None),
    ],
)
def test_local_places(
    host: str, family: socket.AddressFamily, found: tuple[str, int] | None
) -> None:
    expected = None if found is None else SocketAddress(family, found)
    assert names.find(Place(host, 7), family, local=True) == expected


@pytest.mark.parametrize("host", ["lo", "localhost"])
def test_far_places_are_never_interfaces(host: str) -> None:
    assert names.find(Place(host, 7), V4, local=False) is None


@pytest.mark.parametrize("zone", ["lo", "1"])
def test_zones(zone: str) -> None:
    number = socket.if_nametoindex("lo")
    assert number == 1
    found = names.find(Place("fe80::1", 7, zone), V6, local=False)
    assert found == SocketAddress(V6, ("fe80::1", 7, 0, number))


@pytest.mark.parametrize("local", [True, False])
def test_a_zone_that_is_not_there(local: bool) -> None:
    with pytest.raises(OSError, match=r"'nosuch0'.*no interface") as caught:
        names.find(Place("fe80::1", 7, "nosuch0"), V6, local=local)
    assert caught.value.errno == errno.EINVAL


@pytest.mark.parametrize(("local", "number"), [(True, errno.ENODEV), (False, errno.EAFNOSUPPORT)])
def test_ipv6_where_it_is_switched_off(local: bool, number: int) -> None:
    with pytest.raises(OSError, match="the option IPV6 is 0") as caught:
        names.find(Place("::1", 7), V4, local=local)
    assert caught.value.errno == number


def test_looking_up_a_name() -> None:
    assert names.look_up(Place("localhost", 7), V4, local=False) == Place("127.0.0.1", 7)


@pytest.mark.parametrize(("local", "number"), [(True, errno.ENODEV), (False, errno.EHOSTUNREACH)])
@pytest.mark.parametrize("host", ["nosuch.invalid", "x" * 70, "a..b"])
def test_looking_up_a_name_that_nobody_knows(host: str, local: bool, number: int) -> None:
    with pytest.raises(OSError, match=host) as caught:
        names.look_up(Place(host, 7), V4, local=local)
    assert caught.value.errno == number


@pytest.mark.parametrize(
    ("name", "place"),
    [
        (("127.0.0.1", 7), Place("127.0.0.1", 7)),
        (("::1", 7, 0, 0), Place("::1", 7)),
        (("fe80::1%lo", 7, 0, 1), Place("fe80::1", 7, "lo")),
        (("fe80::1", 7, 0, 1), Place("fe80::1", 7, "lo")),
        (("fe80::1", 7, 0, 9999), Place("fe80::1", 7, "9999")),
    ],
)
def test_describing_what_the_system_says(
    name: tuple[str, int] | tuple[str, int, int, int], place: Place
) -> None:
    assert names.describe(name) == place


@pytest.mark.parametrize("wanted", [0, 1])
def test_the_family_goes_by_the_option(wanted: int) -> None:
    assert names.choose_family({"IPV6": wanted}) == (V6 if wanted else V4)


def test_a_kernel_without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(family: int, kind: int) -> None:
        raise OSError(errno.EAFNOSUPPORT, "no such family")

    monkeypatch.setattr(socket, "socket", refuse)
    assert names.choose_family({"IPV6": 1}) == V4
