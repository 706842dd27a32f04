"""Listening, dialling and accepting with nothing but the transport's own sockets."""

import errno
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from shmzmq.transports.tcp import TcpTransport, tuning

PATIENCE_S = 20.0


@pytest.fixture
def open_files() -> Iterator[ExitStack]:
    """Closes what it is given when the test ends."""
    with ExitStack() as stack:
        yield stack


def listening(open_files: ExitStack, address: str, **options: Any) -> tuple[socket.socket, str]:
    """Return a listening socket of the transport, and its real address."""
    listener = TcpTransport().listen(address, options)
    open_files.callback(listener.close)
    return listener.stream, listener.address


def dialled(open_files: ExitStack, address: str, **options: Any) -> socket.socket:
    """Return a socket of the transport's that has dialled, its outcome known."""
    stream = open_files.enter_context(TcpTransport().dial(address, options))
    poll = select.poll()
    poll.register(stream, select.POLLOUT)
    assert poll.poll(PATIENCE_S * 1000), "the outcome is never known"
    return stream


def accepted(open_files: ExitStack, listener: socket.socket) -> socket.socket:
    """Return the next connection."""
    listener.settimeout(PATIENCE_S)
    stream, _ = listener.accept()
    return open_files.enter_context(stream)


@pytest.mark.parametrize(
    ("address", "options", "real"),
    [
        ("127.0.0.1:*", {}, "127.0.0.1"),
        ("lo:0", {}, "127.0.0.1"),
        ("*:*", {}, "0.0.0.0"),
        ("[::1]:*", {"IPV6": 1}, "[::1]"),
        ("lo:*", {"IPV6": 1}, "[::1]"),
        ("*:*", {"IPV6": 1}, "[::]"),
        ("127.0.0.1:*", {"IPV6": 1}, "[::ffff:127.0.0.1]"),
        ("[::1%lo]:*", {"IPV6": 1}, "[::1]"),
    ],
)
def test_the_real_address(
    open_files: ExitStack, address: str, options: dict[str, Any], real: str
) -> None:
    stream, found = listening(open_files, address, **options)
    assert found == f"{real}:{stream.getsockname()[1]}"


@pytest.mark.parametrize(
    ("address", "options", "number", "words"),
    [
        ("198.51.100.1:*", {}, errno.EADDRNOTAVAIL, "198.51.100.1"),
        ("[::1]:*", {}, errno.ENODEV, "::1"),
        ("[fe80::1%nosuch0]:*", {"IPV6": 1}, errno.EINVAL, "nosuch0"),
        ("127.0.0.1:*", {"BINDTODEVICE": b"nosuch0"}, errno.ENODEV, "BINDTODEVICE"),
    ],
)
def test_what_cannot_be_listened_on(
    address: str, options: dict[str, Any], number: int, words: str
) -> None:
    with pytest.raises(OSError, match=words) as caught:
        TcpTransport().listen(address, options)
    assert caught.value.errno == number


def test_an_address_that_is_taken(open_files: ExitStack) -> None:
    _, address = listening(open_files, "127.0.0.1:*")
    with pytest.raises(OSError, match="in use") as caught:
        TcpTransport().listen(address, {})
    assert caught.value.errno == errno.EADDRINUSE


def test_a_port_can_be_used_again_at_once(open_files: ExitStack) -> None:
    listener, address = listening(open_files, "127.0.0.1:*")
    client = dialled(open_files, address)
    accepted(open_files, listener).close()  # the side that closes first keeps the port for a while
    client.close()
    listener.close()
    assert listening(open_files, address)[1] == address


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_meeting(open_files: ExitStack, host: str) -> None:
    transport, options = TcpTransport(), {"IPV6": int(host.startswith("["))}
    listener, address = listening(open_files, f"{host}:*", **options)
    client = dialled(open_files, address, **options)
    server = accepted(open_files, listener)
    assert transport.opened(client, options, accepted=False) == host.strip("[]")
    assert transport.opened(server, options, accepted=True) == host.strip("[]")
    client.sendall(b"hello")
    server.settimeout(PATIENCE_S)
    assert server.recv(9) == b"hello"


def test_coming_from_a_certain_address(open_files: ExitStack) -> None:
    listener, address = listening(open_files, "127.0.0.1:*")
    client = dialled(open_files, f"127.0.0.2:*;{address}")
    server = accepted(open_files, listener)
    assert server.getpeername() == client.getsockname()
    assert TcpTransport().opened(server, {}, accepted=True) == "127.0.0.2"


def test_coming_from_a_certain_interface_and_port(open_files: ExitStack) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    listener, address = listening(open_files, "127.0.0.1:*")
    dialled(open_files, f"lo:{port};{address}")
    assert accepted(open_files, listener).getpeername() == ("127.0.0.1", port)


def test_a_source_that_is_not_here() -> None:
    with pytest.raises(OSError, match=r"198\.51\.100\.1") as caught:
        TcpTransport().dial("198.51.100.1:0;127.0.0.1:5555", {})
    assert caught.value.errno == errno.EADDRNOTAVAIL


def test_meeting_oneself_is_no_connection(open_files: ExitStack) -> None:
    # TCP lets a socket connect to itself if it is told to come from where it goes to.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"127.0.0.1:{port}"
    stream = dialled(open_files, f"{address};{address}")
    assert stream.getpeername() == stream.getsockname()
    with pytest.raises(ConnectionRefusedError):
        TcpTransport().opened(stream, {}, accepted=False)


# -- filters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "source", "ipv6", "let_in"),
    [
        ((), "127.0.0.1", 0, True),
        ((b"127.0.0.1",), "127.0.0.1", 0, True),
        ((b"127.0.0.1",), "127.0.0.2", 0, False),
        ((b"127.0.0.0/8",), "127.9.9.9", 0, True),
        ((b"10.0.0.0/8", b"127.0.0.2/31"), "127.0.0.3", 0, True),
        ((b"10.0.0.0/8", b"127.0.0.2/31"), "127.0.0.4", 0, False),
        ((b"::1",), "127.0.0.1", 0, False),
        ((b"::1",), "::1", 1, True),
        ((b"::/127",), "::1", 1, True),
        ((b"127.0.0.0/8",), "::1", 1, False),
        ((b"127.0.0.0/8",), "127.0.0.1", 1, True),
        ((b"::ffff:127.0.0.0/104",), "127.0.0.1", 1, True),
        ((b"127.0.0.2",), "127.0.0.1", 1, False),
    ],
)
def test_accept_filters(
    open_files: ExitStack, filters: tuple[bytes, ...], source: str, ipv6: int, let_in: bool
) -> None:
    options = {"IPV6": ipv6, "TCP_ACCEPT_FILTER": filters}
    listener, address = listening(open_files, "*:*", **options)
    port = address.rpartition(":")[2]
    there = "[::1]" if ":" in source else "127.0.0.1"
    here = f"[{source}]:0" if ":" in source else f"{source}:0"
    dialled(open_files, f"{here};{there}:{port}", IPV6=ipv6)
    server = accepted(open_files, listener)
    if let_in:
        assert TcpTransport().opened(server, options, accepted=True).endswith(source)
        return
    with pytest.raises(PermissionError, match=f"TCP_ACCEPT_FILTER.*{source}"):
        TcpTransport().opened(server, options, accepted=True)


def test_filters_are_for_those_who_come(open_files: ExitStack) -> None:
    options = {"TCP_ACCEPT_FILTER": (b"10.0.0.0/8",)}
    _, address = listening(open_files, "127.0.0.1:*")
    client = dialled(open_files, address, **options)
    assert TcpTransport().opened(client, options, accepted=False) == "127.0.0.1"


# -- sockets that the application made -------------------------------------------------------------


def test_adopting_a_listening_socket(open_files: ExitStack) -> None:
    given = open_files.enter_context(socket.create_server(("127.0.0.1", 0)))
    listener = TcpTransport().adopt(given, {})
    assert listener.stream is given
    assert listener.address == f"127.0.0.1:{given.getsockname()[1]}"
    assert not given.getblocking()
    listener.close()
    assert given.fileno() == -1


def test_what_is_not_adopted(open_files: ExitStack) -> None:
    silent = open_files.enter_context(socket.socket())
    with pytest.raises(OSError, match="does not listen"):
        TcpTransport().adopt(silent, {})
    for family, kind in ((socket.AF_INET, socket.SOCK_DGRAM), (socket.AF_UNIX, socket.SOCK_STREAM)):
        wrong = open_files.enter_context(socket.socket(family, kind))
        with pytest.raises(OSError, match=f"{family.name} {kind.name}; expected a TCP") as caught:
            TcpTransport().adopt(wrong, {})
        assert caught.value.errno == errno.EINVAL


# -- options ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [("TCP_KEEPALIVE_IDLE", 40_000), ("TCP_KEEPALIVE_CNT", 200), ("TCP_KEEPALIVE_INTVL", 40_000)],
)
def test_an_option_that_the_system_refuses_is_named(
    open_files: ExitStack, name: str, value: int
) -> None:
    _, address = listening(open_files, "127.0.0.1:*")
    client = dialled(open_files, address)
    with pytest.raises(OSError, match=f"{name} = {value}") as caught:
        TcpTransport().opened(client, {"TCP_KEEPALIVE": 1, name: value}, accepted=False)
    assert caught.value.errno == errno.EINVAL


# -- names and proxies -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "options", "binding"),
    [
        ("*:*", {}, True),
        ("lo:5", {}, True),
        ("127.0.0.1:5", {}, False),
        ("lo:0;127.0.0.1:5", {}, False),
        ("nobody.knows:5", {"SOCKS_PROXY": b"127.0.0.1:1080"}, False),
    ],
)
def test_nothing_to_look_up(address: str, options: dict[str, Any], binding: bool) -> None:
    assert TcpTransport().lookup(address, options, binding=binding) is None


@pytest.mark.parametrize(
    ("address", "options", "binding", "found"),
    [
        ("localhost:*", {}, True, ("127.0.0.1:0", None)),
        ("localhost:5", {}, False, ("127.0.0.1:5", None)),
        ("localhost:0;127.0.0.1:5", {}, False, ("127.0.0.1:0;127.0.0.1:5", None)),
        (
            "lo:0;nobody.knows:5",
            {"SOCKS_PROXY": b"localhost:1080"},
            False,
            ("lo:0;nobody.knows:5", b"127.0.0.1:1080"),
        ),
    ],
)
def test_looking_up(
    address: str, options: dict[str, Any], binding: bool, found: tuple[str, bytes | None]
) -> None:
    seek = TcpTransport().lookup(address, options, binding=binding)
    assert seek is not None
    where, changed = seek()
    assert (where, changed.get("SOCKS_PROXY")) == found


@pytest.mark.parametrize("proxy", [b"nonsense", b"127.0.0.1:0", b"127.0.0.1:*", b"\xff:1", b":5"])
def test_a_proxy_that_is_none(proxy: bytes) -> None:
    with pytest.raises(OSError, match="SOCKS_PROXY") as caught:
        TcpTransport().lookup("127.0.0.1:5", {"SOCKS_PROXY": proxy}, binding=False)
    assert caught.value.errno == errno.EINVAL


def test_a_proxy_is_what_we_connect_to(open_files: ExitStack) -> None:
    listener, proxy = listening(open_files, "127.0.0.1:*")
    options = {"SOCKS_PROXY": proxy.encode(), "SOCKS_USERNAME": b"ada", "SOCKS_PASSWORD": b"x"}
    dialled(open_files, "nobody.knows:5", **options)
    accepted(open_files, listener)
    opening = TcpTransport().opening("nobody.knows:5", options)
    assert opening is not None
    assert opening.data_to_send() == b"\x05\x01\x02"


def test_without_a_proxy_nothing_has_to_be_said() -> None:
    assert TcpTransport().opening("127.0.0.1:5", {}) is None


def congestion_control(stream: socket.socket) -> str:
    """Return by which algorithm *stream* decides when to send."""
    name = stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
    return name.rstrip(b"\0").decode()


@pytest.mark.parametrize(
    ("host", "own", "chosen"),
    [
        ("127.0.0.1", b"bbr", "reno"),
        ("127.8.0.1", b"bbr", "reno"),
        ("::1", b"bbr", "reno"),
        ("::ffff:127.0.0.1", b"bbr", "reno"),
        ("0.0.0.0", b"bbr", "bbr"),
        ("::", b"bbr", "bbr"),
        ("192.0.2.127", b"bbr", "bbr"),
        ("::12", b"bbr", "bbr"),
        ("127.0.0.1", b"cubic", "cubic"),
    ],
)
def test_within_the_machine_nothing_is_sent_by_the_clock(
    open_files: ExitStack, host: str, own: bytes, chosen: str
) -> None:
    stream = open_files.enter_context(socket.socket())
    try:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, own)
    except OSError:
        pytest.skip(f"this system has no {own.decode()}")
    tuning.spare_pacing(stream, host)
    assert congestion_control(stream) == chosen


@pytest.mark.parametrize(
    ("host", "options"), [("127.0.0.1", {}), ("[::1]", {"IPV6": 1}), ("127.0.0.1", {"IPV6": 1})]
)
def test_both_ends_of_a_connection_within_the_machine_go_without(
    open_files: ExitStack, host: str, options: dict[str, int]
) -> None:
    listener, address = listening(open_files, f"{host}:*", **options)
    client = dialled(open_files, address, **options)
    server = accepted(open_files, listener)
    assert not [each for each in (client, server) if congestion_control(each).startswith("bbr")]
