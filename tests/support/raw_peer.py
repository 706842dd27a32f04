"""A peer that is nothing but a byte stream: the test says each octet that it sends."""

import socket
from types import TracebackType

from support.waiting import PATIENCE_S

SIGNATURE = b"\xff" + bytes(7) + b"\x01\x7f"
GREETING = SIGNATURE + b"\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(32)


def ready(socket_type: bytes, identity: bytes = b"") -> bytes:
    """Return a READY command as it stands on the wire."""
    properties = b"\x0bSocket-Type" + len(socket_type).to_bytes(4) + socket_type
    properties += b"\x08Identity" + len(identity).to_bytes(4) + identity
    body = b"\x05READY" + properties
    return b"\x04" + bytes((len(body),)) + body


def frame(body: bytes, flags: int = 0) -> bytes:
    """Return a frame of ZMTP 2.0 or later."""
    if len(body) > 255:
        return bytes((flags | 2,)) + len(body).to_bytes(8) + body
    return bytes((flags, len(body))) + body


class RawPeer:
    """One end of a stream to the library, which connects to one of its endpoints.

    Where the library connects to the test, *endpoint* is the stream that the test has accepted.
    """

    def __init__(self, endpoint: str | socket.socket) -> None:
        self.stream = endpoint if isinstance(endpoint, socket.socket) else connect_to(endpoint)
        self.stream.settimeout(PATIENCE_S)

    def say(self, *octets: bytes) -> None:
        """Send everything."""
        self.stream.sendall(b"".join(octets))

    def hear(self, count: int) -> bytes:
        """Return the next *count* octets; fewer when the stream ends before."""
        heard = bytearray()
        while len(heard) < count:
            more = self.stream.recv(count - len(heard))
            if not more:
                break
            heard += more
        return bytes(heard)

    def hear_frame(self) -> tuple[int, bytes]:
        """Return flags and body of the next frame of ZMTP 2.0 or later."""
        flags = self.hear(1)[0]
        size = int.from_bytes(self.hear(8 if flags & 2 else 1))
        return flags & ~2, self.hear(size)

    def shake_hands(self, socket_type: bytes, identity: bytes = b"") -> bytes:
        """Do the handshake of ZMTP 3.1 with NULL; return the other side's READY."""
        self.say(GREETING, ready(socket_type, identity))
        assert self.hear(10)[9] == 0x7F
        assert self.hear(54)[:1] == b"\x03"
        flags, body = self.hear_frame()
        assert flags == 4
        assert body.startswith(b"\x05READY")
        return body

    def is_hung_up(self) -> bool:
        """Whether the other side ends the stream, whatever it says before."""
        try:
            while self.stream.recv(65536):
                pass
        except ConnectionResetError:
            pass
        except TimeoutError:
            return False
        return True

    def __enter__(self) -> "RawPeer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stream.close()


def connect_to(endpoint: str) -> socket.socket:
    """Return a stream to an ipc path, or to a host and port."""
    scheme, _, address = endpoint.partition("://")
    if scheme != "ipc":
        host, _, port = address.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), PATIENCE_S)
    stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        stream.connect(b"\0" + address[1:].encode() if address[0] == "@" else address)
    except OSError:
        stream.close()
        raise
    return stream


def listen_at(endpoint: str) -> socket.socket:
    """Return what listens at an ipc path, or at a host and port."""
    scheme, _, address = endpoint.partition("://")
    if scheme == "ipc":
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
        listener.listen(8)
    else:
        host, _, port = address.rpartition(":")
        family = socket.AF_INET6 if host[0] == "[" else socket.AF_INET
        listener = socket.create_server((host.strip("[]"), int(port)), family=family, backlog=8)
    listener.settimeout(PATIENCE_S)
    return listener
