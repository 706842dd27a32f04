"""TCP_RECV_BUFFER and TCP_SEND_BUFFER: "the maximum number of bytes which can be received [sent] by
an individual syscall to receive [transmit] data from [to] the TCP socket."

OUT_BATCH_SIZE and IN_BATCH_SIZE are libzmq's later names for about the same. How often a worker
reads is read from the kernel, which counts that for each process (proc(5)). Where none
of them is set a call moves what it can, and not at most 8192 bytes.
"""

import re
import socket
import struct
from pathlib import Path

import psutil
import pytest
from support.asked import workers_only
from support.factory import SocketFactory
from support.library import zmq
from support.links import free_port
from support.raw_peer import RawPeer, frame, listen_at

pytestmark = workers_only

SIZE = 200_000


def calls(which: str) -> int:
    """Return how many calls of a kind, syscr or syscw, this process's workers have made."""
    count = 0
    for child in psutil.Process().children():
        if "shmzmq.workers" in child.cmdline():
            counters = Path(f"/proc/{child.pid}/io").read_text()
            found = re.search(rf"^{which}: (\d+)$", counters, re.MULTILINE)
            assert found is not None
            count += int(found[1])
    return count


@pytest.mark.parametrize("most", [50, 1000, 8192])
@pytest.mark.parametrize("option", ["tcp_recv_buffer", "in_batch_size"])
def test_no_call_receives_more(sockets: SocketFactory, option: str, most: int) -> None:
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    pull = sockets.open(zmq.PULL, bind=endpoint, **{option: most})
    with RawPeer(endpoint) as peer:
        peer.shake_hands(b"PUSH")
        before = calls("syscr")
        peer.say(frame(bytes(SIZE)))
        assert len(pull.recv()) == SIZE
        assert calls("syscr") - before >= SIZE // most


FEW_SEGMENTS = 3
INITIAL_WINDOW = 10  # segments that are sent before the first of them is acknowledged (RFC 6928)


@pytest.mark.parametrize("option", [None, "tcp_send_buffer", "out_batch_size"])
def test_no_call_sends_more(sockets: SocketFactory, option: str | None) -> None:
    """Each call sends a segment of its own at least while the peer's window is open.

    tests/unit/workers/test_relay_limits.py sees the very sizes.
    """
    options = {} if option is None else {option: 100}
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    with listen_at(endpoint) as listener:
        push = sockets.open(zmq.PUSH, connect=endpoint, **options)
        with RawPeer(listener.accept()[0]) as peer:
            peer.shake_hands(b"PULL")
            before = segments(peer.stream)
            push.send(bytes(5000))
            assert peer.hear_frame() == (0, bytes(5000))
            count = segments(peer.stream) - before
            assert (count >= INITIAL_WINDOW) if options else (count <= FEW_SEGMENTS), count


def segments(stream: socket.socket) -> int:
    """Return how many segments with data have come: tcpi_data_segs_in (tcp.h)."""
    info = stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    count: int = struct.unpack_from("I", info, 152)[0]
    return count


def test_unless_set_a_call_moves_what_it_can(sockets: SocketFactory) -> None:
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    pull = sockets.open(zmq.PULL, bind=endpoint)
    assert pull.getsockopt(zmq.TCP_RECV_BUFFER) == 8192
    with RawPeer(endpoint) as peer:
        peer.shake_hands(b"PUSH")
        before = calls("syscr")
        for _ in range(50):
            peer.say(frame(bytes(SIZE)))
            assert len(pull.recv()) == SIZE
        # Some hundreds of calls; by 8192 bytes they would be 1,220.
        assert calls("syscr") - before < 50 * SIZE // 8192
