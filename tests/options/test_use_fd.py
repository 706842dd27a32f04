"""USE_FD (4.2-dev: PRE_ALLOCATED_FD): "When set to a positive integer value before zmq_bind is
called on the socket, the socket shall use the corresponding file descriptor for connections over
TCP or IPC instead of allocating a new file descriptor. [...] if set after calling zmq_bind, this
option shall have no effect. [...] the file descriptor passed through MUST have been ran through the
"bind" and "listen" system calls beforehand. Also, socket option that would normally be passed
through zmq_setsockopt like TCP buffers length, IP_TOS or SO_REUSEADDR MUST be set beforehand by the
caller".
"""

import socket
from pathlib import Path
from typing import Any

import pytest
from support.asked import IP, SOL, workers_only
from support.factory import SocketFactory
from support.library import zmq
from support.plain import Plain
from support.remote import PeerProcess
from support.worker_sockets import worker_socket

pytestmark = workers_only


@pytest.mark.parametrize("name", ["USE_FD", "PRE_ALLOCATED_FD"])
def test_a_listening_descriptor(plain: Plain, sockets: SocketFactory, name: str) -> None:
    made = socket.create_server(("127.0.0.1", 0))
    port = made.getsockname()[1]
    server = sockets.open(zmq.PUSH)
    server.setsockopt(getattr(zmq, name), made.detach())
    server.bind("tcp://127.0.0.1:1")  # the address counts for nothing then
    assert server.last_endpoint == f"tcp://127.0.0.1:{port}".encode()
    plain.connect(server.last_endpoint)
    server.unbind(server.last_endpoint)
    with pytest.raises(ConnectionRefusedError):
        plain.dial(f"tcp://127.0.0.1:{port}")


def test_a_listening_unix_descriptor(sockets: SocketFactory, tmp_path: Any) -> None:
    made = socket.socket(socket.AF_UNIX)
    made.bind(f"{tmp_path}/s")
    made.listen()
    pull = sockets.open(zmq.PULL, use_fd=made.detach(), bind="ipc://ignored")
    assert pull.last_endpoint == f"ipc://{tmp_path}/s".encode()
    sockets.open(zmq.PUSH, connect=f"ipc://{tmp_path}/s").send(b"hello")
    assert pull.recv() == b"hello"
    pull.close()
    assert (tmp_path / "s").is_socket()  # whoever made it takes it away


def test_descriptors_that_are_none(sockets: SocketFactory, tmp_path: Any) -> None:
    with (tmp_path / "file").open("wb") as file, socket.socket() as silent:
        for number, words in (
            (file.fileno(), "socket"),
            (silent.fileno(), "does not listen"),
            (999_999, "USE_FD = 999999"),
        ):
            with pytest.raises(zmq.ZMQError, match=words):
                sockets.open(zmq.PUSH, use_fd=number, bind="tcp://127.0.0.1:*")


def test_a_descriptor_that_is_somebody_elses_by_now(sockets: SocketFactory) -> None:
    made = socket.create_server(("127.0.0.1", 0))
    server = sockets.open(zmq.PUSH, use_fd=made.fileno(), bind="tcp://127.0.0.1:*")
    number = made.fileno()
    made.close()  # it was the socket's to close
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert other.fileno() == number
        server.close()
        assert other.getsockopt(SOL, socket.SO_ACCEPTCONN)


def test_what_was_asked_of_the_kernel_before_counts(plain: Plain, sockets: SocketFactory) -> None:
    made = socket.socket()
    made.setsockopt(IP, socket.IP_TOS, 0x28)
    made.bind(("127.0.0.1", 0))
    made.listen()
    server = sockets.open(zmq.PUSH, use_fd=made.detach(), tos=0, bind="tcp://127.0.0.1:*")
    client = plain.connect(server.last_endpoint)
    with worker_socket(client.getpeername(), client.getsockname()) as found:
        assert found.getsockopt(IP, socket.IP_TOS) == 0x28


def test_set_after_bind_it_has_no_effect(plain: Plain, sockets: SocketFactory) -> None:
    server = sockets.open(zmq.PUSH, bind="tcp://127.0.0.1:*")
    made = plain.listener()
    server.setsockopt(zmq.USE_FD, made.fileno())
    plain.connect(server.last_endpoint)
    plain.dial(f"tcp://127.0.0.1:{made.getsockname()[1]}")
    assert made.accept()[0].close() is None  # it is still ours to accept from


def test_minus_one_makes_a_descriptor_again(plain: Plain, sockets: SocketFactory) -> None:
    made = plain.listener()
    server = sockets.open(zmq.PUSH, use_fd=[made.fileno(), -1], bind="tcp://127.0.0.1:*")
    assert int(server.last_endpoint.rpartition(b":")[2]) != made.getsockname()[1]
    plain.connect(server.last_endpoint)


@pytest.mark.parametrize("scheme", ["tcp", "ipc"])
def test_libzmq_comes_to_it(
    sockets: SocketFactory, libzmq: PeerProcess, tmp_path: Path, scheme: str
) -> None:
    made = socket.socket(socket.AF_INET if scheme == "tcp" else socket.AF_UNIX)
    made.bind(("127.0.0.1", 0) if scheme == "tcp" else f"{tmp_path}/s")
    made.listen()
    pull = sockets.open(zmq.PULL, use_fd=made.detach(), bind=f"{scheme}://127.0.0.1:1")
    libzmq.open(zmq.PUSH, connect=pull.last_endpoint.decode()).send(b"hello")
    assert pull.recv() == b"hello"
