"""The relay between the rings of a pipe and a stream, over a socket pair."""

import errno
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.pipe_ends import DONTWAIT, SNDMORE, Held, receive_all
from support.pipes import discard
from support.raw_peer import frame
from support.relays import Relay, make_relay

from shmzmq.errors import ZMQError
from shmzmq.patterns.dealer import Dealer
from shmzmq.patterns.xpub import XPub
from shmzmq.shm import segment
from shmzmq.socket_base import SocketBase
from shmzmq.workers.receiving import Receiving
from shmzmq.workers.relay import Turn
from shmzmq.workers.sending import Sending
from shmzmq.zmtp.errors import ProtocolError

LARGE = 4 << 20  # more than this is not received into the ring at once
SIZES = [0, 1, 255, 256, 4096, 4097, 65536, 300_000]


@pytest.fixture
def relay(held: Held) -> Iterator[Relay]:
    """A relay for a DEALER."""
    made = make_relay(held, Dealer())
    yield made
    made.near.close()
    made.far.close()


def send(socket: SocketBase, *parts: bytes) -> None:
    """Send one message."""
    for part in parts[:-1]:
        socket.send(part, SNDMORE)
    socket.send(parts[-1], DONTWAIT)


def feed(relay: Relay, receiving: Receiving, octets: bytes) -> int:
    """Have the peer send *octets*; return the last outcome."""
    state = int(Turn.IDLE)
    while octets and state != Turn.BLOCKED:
        octets = octets[relay.far.send(octets) :]
        while (state := receiving.receive()) == Turn.MORE:
            pass
    return state


def turns(sending: Sending, relay: Relay) -> tuple[int, bytes]:
    """Take turns until there is nothing to send; return the last outcome and what was written."""
    heard = b""
    while True:
        state = sending.send()
        heard += relay.hear()
        if state not in (Turn.MORE, Turn.BLOCKED):
            return state, heard


def test_should_write_frames(relay: Relay) -> None:
    messages = [[b"x" * size, b"", b"end"] for size in SIZES]
    for message in messages:
        send(relay.application, *message)
    state, heard = turns(relay.sending(), relay)
    assert state == Turn.IDLE
    expected = [frame(a, 1) + frame(b, 1) + frame(c) for a, b, c in messages]
    assert heard == b"".join(expected)
    assert relay.unread() == 0


def test_should_write_many_small_messages_with_one_system_call(relay: Relay) -> None:
    for number in range(1000):
        send(relay.application, b"%04d" % number)
    sending = relay.sending()
    assert sending.send() == Turn.IDLE
    assert relay.far.recv(1 << 20) == b"".join(frame(b"%04d" % n) for n in range(1000))


def test_should_write_nothing_of_half_a_message(relay: Relay) -> None:
    sending = relay.sending()
    relay.application.send(b"begun", SNDMORE)
    assert turns(sending, relay) == (Turn.IDLE, b"")
    relay.application.send(b"done")
    assert turns(sending, relay) == (Turn.IDLE, frame(b"begun", 1) + frame(b"done"))


def test_should_give_back_only_what_was_written_whole(relay: Relay) -> None:
    send(relay.application, b"first")
    send(relay.application, b"x" * 5_000_000)
    sending = relay.sending()
    assert sending.send() == Turn.BLOCKED
    assert relay.unread() == 1
    assert sending.send() == Turn.BLOCKED
    heard = relay.hear()
    state, rest = turns(sending, relay)
    assert (state, heard + rest) == (Turn.IDLE, frame(b"first") + frame(b"x" * 5_000_000))
    assert relay.unread() == 0


def test_should_begin_anew_with_what_a_lost_stream_had_not_taken(relay: Relay) -> None:
    parts = [b"head", b"y" * 3_000_000, b"tail"]
    send(relay.application, b"gone")
    send(relay.application, *parts)
    send(relay.application, b"behind")
    sending = relay.sending()
    assert sending.send() == Turn.BLOCKED
    relay.far.close()
    with pytest.raises(OSError, match=r"Broken pipe|reset"):
        sending.send()
    sending.rewind()
    assert relay.unread() == 2
    relay.near.close()
    relay.near, relay.far = socket.socketpair()
    relay.near.setblocking(False)
    relay.far.setblocking(False)
    state, heard = turns(relay.sending(), relay)
    whole = frame(parts[0], 1) + frame(parts[1], 1) + frame(parts[2]) + frame(b"behind")
    assert (state, heard) == (Turn.IDLE, whole)


def test_should_put_what_the_session_says_between_messages(relay: Relay) -> None:
    sending = relay.sending()
    send(relay.application, b"a" * 1_000_000, b"b")
    assert sending.send() == Turn.BLOCKED
    sending.say(frame(b"\x04PING", 4))
    send(relay.application, b"c")
    begun = relay.hear()
    _, heard = turns(sending, relay)
    message = frame(b"a" * 1_000_000, 1) + frame(b"b")
    assert begun + heard == message + frame(b"\x04PING", 4) + frame(b"c")


def test_should_finish_behind_the_goodbye(relay: Relay) -> None:
    send(relay.application, b"last")
    relay.far_pipe.say_goodbye()
    sending = relay.sending()
    assert turns(sending, relay) == (Turn.FINISHED, frame(b"last"))


def test_should_tell_subscriptions_by_command_where_the_peer_knows_it(relay: Relay) -> None:
    others = [b"hello", b"", *(bytes((first,)) + b"no subscription" for first in range(2, 256))]
    for message in (b"\x01news", b"\x00news", b"\x01", *others):
        send(relay.application, message)
    send(relay.application, b"\x01not", b"alone")
    _, heard = turns(relay.sending(commands=True), relay)
    assert heard == (
        b"\x04\x0e\x09SUBSCRIBEnews\x04\x0b\x06CANCELnews\x04\x0a\x09SUBSCRIBE"
        + b"".join(map(frame, others))
        + frame(b"\x01not", 1)
        + frame(b"alone")
    )


def test_should_tell_subscriptions_by_message_where_it_does_not(relay: Relay) -> None:
    send(relay.application, b"\x01news")
    assert turns(relay.sending(framing="1.0"), relay)[1] == b"\x06\x00\x01news"


@pytest.mark.parametrize("chunk", [1, 3, 1000, 1 << 30])
def test_should_read_frames_in_any_pieces(relay: Relay, chunk: int) -> None:
    sizes = SIZES if chunk > 3 else [0, 1, 255, 256]
    messages = [[b"x" * size, b"", b"end"] for size in sizes]
    octets = b"".join(frame(a, 1) + frame(b, 1) + frame(c) for a, b, c in messages)
    receiving = relay.receiving()
    received = []
    at = 0
    while at < len(octets):
        at += relay.far.send(octets[at : at + chunk])
        assert receiving.receive() == Turn.IDLE
        received += receive_all(relay.application)
    assert received == messages
    assert receiving.count == len(octets)


def test_should_begin_with_what_had_been_read_before(relay: Relay) -> None:
    receiving = relay.receiving(rest=frame(b"one") + frame(b"two")[:3])
    relay.far.send(frame(b"two")[3:])
    assert receiving.receive() == Turn.IDLE
    assert receive_all(relay.application) == [[b"one"], [b"two"]]


def test_should_show_nothing_of_half_a_message(relay: Relay) -> None:
    receiving = relay.receiving()
    relay.far.send(frame(b"begun", 1) + frame(b"x" * 100_000)[:50_000])
    assert receiving.receive() == Turn.IDLE
    assert receive_all(relay.application) == []
    relay.far.close()
    assert receiving.receive() == Turn.ENDED
    relay.pipe.forget_unfinished()
    assert receive_all(relay.application) == []


def test_should_stop_at_the_high_water_mark_and_go_on(held: Held) -> None:
    relay = make_relay(held, Dealer(), limit=3)
    receiving = relay.receiving()
    relay.far.send(b"".join(frame(b"%d" % number) for number in range(10)))
    assert receiving.receive() == Turn.BLOCKED
    assert receive_all(relay.application) == [[b"0"], [b"1"], [b"2"]]
    received = []
    while (state := receiving.receive()) == Turn.BLOCKED:
        received += receive_all(relay.application)
    received += receive_all(relay.application)
    assert state == Turn.IDLE
    assert received == [[b"%d" % number] for number in range(3, 10)]
    relay.near.close()
    relay.far.close()


def test_should_hand_commands_to_the_session(relay: Relay) -> None:
    receiving = relay.receiving()
    long = b"\x04LONG" + b"x" * 100_000
    octets = frame(b"one") + frame(b"\x04PING\0\0", 4) + frame(b"two") + frame(long, 4)
    relay.far.send(octets[:60_000])
    assert receiving.receive() == Turn.COMMAND
    assert receiving.command == b"\x04PING\0\0"
    assert receiving.receive() == Turn.IDLE
    relay.far.send(octets[60_000:] + frame(b"three"))
    assert receiving.receive() == Turn.COMMAND
    assert receiving.command == long
    assert receiving.receive() == Turn.IDLE
    assert receive_all(relay.application) == [[b"one"], [b"two"], [b"three"]]


def test_should_turn_subscriptions_into_messages(held: Held) -> None:
    relay = make_relay(held, XPub())
    receiving = relay.receiving(subscriptions=True)
    receiving.imply(b"\x09SUBSCRIBEimplied")
    relay.far.send(
        frame(b"\x09SUBSCRIBEnews", 4)
        + frame(b"\x06CANCELnews", 4)
        + frame(b"\x01old way")
        + frame(b"\x09SUBSCRIBE", 4)
    )
    assert receiving.receive() == Turn.IDLE
    heard = receive_all(relay.application)
    assert heard == [[b"\x01implied"], [b"\x01news"], [b"\x00news"], [b"\x01old way"], [b"\x01"]]
    relay.near.close()
    relay.far.close()


def test_should_not_read_on_for_ever_from_a_busy_stream(relay: Relay) -> None:
    relay.near.close()
    relay.far.close()
    # Over TCP, whose buffers hold more than a turn takes.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        relay.far = socket.create_connection(listener.getsockname())
        relay.near, _ = listener.accept()
    relay.near.setblocking(False)
    octets = frame(b"x" * 1000) * 1000
    relay.far.sendall(octets)
    receiving = relay.receiving()
    assert receiving.receive() == Turn.MORE
    assert 200_000 < receiving.count < len(octets)
    assert receiving.receive() in (Turn.MORE, Turn.IDLE)


def test_should_refuse_what_is_no_frame_or_too_large(relay: Relay) -> None:
    relay.far.send(frame(b"fine") + b"\x80\x00")
    with pytest.raises(ProtocolError, match="flags 0x80"):
        relay.receiving().receive()
    relay.far.send(frame(b"x" * 11))
    with pytest.raises(ProtocolError, match="11 bytes; at most 10"):
        relay.receiving(limit=10).receive()
    assert receive_all(relay.application) == [[b"fine"]]


def test_should_refuse_a_part_for_which_there_is_no_memory(relay: Relay) -> None:
    for size in (1 << 45, (1 << 63) - 1):
        relay.far.send(b"\x02" + size.to_bytes(8))
        with pytest.raises(ZMQError, match=f"{size} bytes"):
            relay.receiving().receive()


def test_should_take_no_shared_memory_for_a_large_part_that_is_only_announced(relay: Relay) -> None:
    before = relay.pipe.describe()["outbound"]["capacity"]
    relay.far.send(b"\x02" + (1 << 30).to_bytes(8) + b"begun")
    receiving = relay.receiving()
    assert receiving.receive() == Turn.IDLE
    assert relay.pipe.describe()["outbound"]["capacity"] == before
    assert receive_all(relay.application) == []


@pytest.mark.parametrize("size", [LARGE, LARGE + 1, 2 * LARGE])
def test_should_read_large_parts_among_small_ones(relay: Relay, size: int) -> None:
    large = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    feed(relay, relay.receiving(), frame(b"a", 1) + frame(large, 1) + frame(b"b"))
    feed(relay, relay.receiving(), frame(large) + frame(b"c"))
    assert receive_all(relay.application) == [[b"a", large, b"b"], [large], [b"c"]]


def test_should_keep_a_large_part_until_there_is_memory(
    relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise ZMQError(errno.ENOBUFS, "/dev/shm is full")

    receiving = relay.receiving()
    feed(relay, receiving, frame(b"first"))
    with monkeypatch.context() as patch:
        patch.setattr(segment, "create", full)
        patch.setattr(segment, "create_private", full)
        assert feed(relay, receiving, frame(b"x" * (LARGE + 1)) + frame(b"last")) == Turn.BLOCKED
        assert receive_all(relay.application) == [[b"first"]]
    assert receiving.receive() == Turn.IDLE
    assert receive_all(relay.application) == [[b"x" * (LARGE + 1)], [b"last"]]


def test_should_relay_raw_octets(relay: Relay) -> None:
    send(relay.application, b"GET / HTTP/1.0\r\n\r\n")
    _, heard = turns(relay.sending(framing="raw"), relay)
    assert heard == b"GET / HTTP/1.0\r\n\r\n"
    relay.far.send(b"HTTP/1.0 200 OK\r\n\r\n")
    assert relay.receiving(framing="raw").receive() == Turn.IDLE
    assert receive_all(relay.application) == [[b"HTTP/1.0 200 OK\r\n\r\n"]]


@settings(max_examples=40, deadline=None)
@given(
    messages=st.lists(
        st.lists(st.sampled_from([0, 1, 255, 256, 4096, 4097, 70_000]), min_size=1, max_size=4),
        max_size=12,
    ),
    chunks=st.lists(st.integers(1, 50_000), min_size=1, max_size=8),
    framing=st.sampled_from(["1.0", "2.0"]),
)
def test_should_carry_any_messages_both_ways(
    messages: list[list[int]], chunks: list[int], framing: str
) -> None:
    """What one relay writes, cut into pieces, another reads."""
    held: Held = []
    here, there = make_relay(held, Dealer()), make_relay(held, Dealer())
    expected = [[bytes([i + 1]) * size for i, size in enumerate(sizes)] for sizes in messages]
    for message in expected:
        send(here.application, *message)
    _, octets = turns(here.sending(framing=framing), here)
    receiving = there.receiving(framing=framing)
    at = turn = 0
    while at < len(octets):
        at += there.far.send(octets[at : at + chunks[turn % len(chunks)]])
        turn += 1
        assert receiving.receive() in (Turn.IDLE, Turn.MORE)
    assert receiving.receive() == Turn.IDLE
    assert receive_all(there.application) == expected
    for relay in (here, there):
        relay.near.close()
        relay.far.close()
    discard(*held)
