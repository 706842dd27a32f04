"""SOCKS_PROXY: "the SOCKS5 proxy address that shall be used by the socket for the TCP
connection(s). [...] If the endpoints are domain names instead of addresses they shall not be
resolved and they shall be forwarded unchanged to the SOCKS proxy service (address type 0x03 domain
name)."

SOCKS_USERNAME and SOCKS_PASSWORD besides. The proxies are Debian's microsocks, and one of our own
that shows what it is asked.
"""

import logging
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator

import pytest
from support.factory import SocketFactory
from support.library import ours_better, zmq
from support.plain import Plain
from support.waiting import PATIENCE_S, wait_for

LOGIN = ("ada", "lovelace")


@pytest.fixture(params=[(), LOGIN], ids=["open", "login"])
def proxy(request: pytest.FixtureRequest) -> Iterator[tuple[str, dict[str, bytes]]]:
    """A running proxy: its address, and the options that it wants besides."""
    program = shutil.which("microsocks") or "/usr/bin/microsocks"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program, "-i", "127.0.0.1", "-p", str(port)]
    options: dict[str, bytes] = {}
    if request.param:
        name, password = request.param
        command += ["-u", name, "-P", password]
        options = {"socks_username": name.encode(), "socks_password": password.encode()}
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: answers(port), "the proxy listens")
        yield f"127.0.0.1:{port}", options
        process.terminate()


def answers(port: int) -> bool:
    """Whether somebody listens on this port."""
    try:
        socket.create_connection(("127.0.0.1", port), PATIENCE_S).close()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_a_proxy_connects_us(
    plain: Plain, sockets: SocketFactory, proxy: tuple[str, dict[str, bytes]], host: str
) -> None:
    address, options = proxy
    listener = plain.listener("::1" if host == "[::1]" else "127.0.0.1")
    endpoint = f"tcp://{host}:{listener.getsockname()[1]}"
    push = sockets.open(zmq.PUSH, socks_proxy=address.encode(), connect=endpoint, **options)
    stream = plain.accept(listener)
    assert push.last_endpoint == endpoint.encode()
    # The far end's first word comes through, whole: the signature of a greeting is answered.
    stream.sendall(b"\xff" + bytes(8) + b"\x7f" + b"\x03")
    assert stream.recv(9, socket.MSG_WAITALL)[-1:] == b"\x7f"


def test_a_proxy_by_its_name(
    plain: Plain, sockets: SocketFactory, proxy: tuple[str, dict[str, bytes]]
) -> None:
    address, options = proxy
    address = address.replace("127.0.0.1", "localhost")
    listener = plain.listener()
    endpoint = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    sockets.open(zmq.PUSH, socks_proxy=address.encode(), connect=endpoint, **options)
    plain.accept(listener)


def test_the_proxy_looks_names_up(plain: Plain, sockets: SocketFactory) -> None:
    listener = plain.listener()
    proxy = f"127.0.0.1:{listener.getsockname()[1]}".encode()
    sockets.open(zmq.PUSH, socks_proxy=proxy, connect="tcp://only.known.there:5555")
    stream = plain.own(listener.accept()[0])
    assert stream.recv(3, socket.MSG_WAITALL) == b"\x05\x01\x00"
    stream.sendall(b"\x05\x00")
    name = b"only.known.there"
    request = b"\x05\x01\x00\x03" + bytes([len(name)]) + name + (5555).to_bytes(2, "big")
    assert stream.recv(len(request), socket.MSG_WAITALL) == request
    stream.sendall(b"\x05\x00\x00\x01" + bytes(6))
    assert stream.recv(1) == b"\xff"  # from here on it speaks with the far end


@ours_better("libzmq reports nothing")
@pytest.mark.parametrize(
    ("refuse", "words"),
    [
        (lambda proxy: proxy.sendall(b"\x05\xff"), "does not take a login without name"),
        (lambda proxy: proxy.sendall(b"HT"), "no SOCKS5 proxy"),
    ],
)
def test_refusals_are_reported(
    plain: Plain,
    sockets: SocketFactory,
    caplog: pytest.LogCaptureFixture,
    refuse: Callable[[socket.socket], None],
    words: str,
) -> None:
    caplog.set_level(logging.INFO, "shmzmq")
    listener = plain.listener()
    proxy = f"127.0.0.1:{listener.getsockname()[1]}".encode()
    push = sockets.open(zmq.PUSH, socks_proxy=proxy, connect="tcp://127.0.0.1:5", immediate=1)
    for _ in range(2):  # it tries again
        stream = plain.own(listener.accept()[0])
        assert stream.recv(3, socket.MSG_WAITALL) == b"\x05\x01\x00"
        refuse(stream)
        assert stream.recv(1) == b""

    def is_reported() -> bool:
        push.poll(0, zmq.POLLOUT)
        return words in caplog.text

    wait_for(is_reported, f"{words!r} is reported")
