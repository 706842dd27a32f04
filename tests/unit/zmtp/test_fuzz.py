"""Random and nearly right octets into every decoder, for a bounded time.

Invariant: a decoder returns a value, asks for more, or raises ProtocolError. A connection raises
nothing, ends at most once, and tells the same events however its input was cut into pieces.
"""

from collections.abc import Callable
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.zmtp.wire import SIGNATURE, V30_GREETING, V31_GREETING, Wire, connection, drain

from shmzmq.zmtp import commands, frames, metadata
from shmzmq.zmtp.connection import Connection
from shmzmq.zmtp.errors import ProtocolError
from shmzmq.zmtp.events import Command, Ended, Event, MessageFrame
from shmzmq.zmtp.mechanisms.null import NullMechanism
from shmzmq.zmtp.metadata import COMPATIBLE
from shmzmq.zmtp.states import Phase

bounded = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])

names = st.sampled_from(
    [b"READY", b"ERROR", b"PING", b"PONG", b"SUBSCRIBE", b"CANCEL", b"SHMPIPE", b"", b"\xff"]
)
properties = st.dictionaries(
    st.text(min_size=1, max_size=20), st.binary(max_size=40), max_size=4
).map(lambda told: metadata.encode(told.items()))
command_bodies = st.builds(
    lambda name, data: bytes((len(name),)) + name + data,
    names,
    st.one_of(st.binary(max_size=40), properties),
)
frame_octets = st.builds(
    lambda flags, body: frames.V2.header(len(body), flags) + body,
    st.sampled_from([0, frames.MORE, frames.COMMAND, 5, 8]),
    st.one_of(command_bodies, st.binary(max_size=300)),
)
greetings = st.one_of(
    st.sampled_from(
        [V31_GREETING, V30_GREETING, SIGNATURE + b"\x01\x05\0\x03abc", b"\x04\0abc", SIGNATURE]
    ),
    st.binary(max_size=70),
)
conversations = st.builds(
    lambda greeting, ready, rest, noise: greeting + ready + b"".join(rest) + noise,
    greetings,
    st.sampled_from([b"", b"\x04\x06\x05READY"]),
    st.lists(frame_octets, max_size=6),
    st.binary(max_size=20),
)


def run(
    data: bytes, cuts: list[int], socket_type: str, maxmsgsize: int
) -> tuple[list[Event], bytes, Connection]:
    """Feed *data* cut at *cuts*; return the events, what was sent, and the connection."""
    engine = connection(socket_type, maxmsgsize=maxmsgsize)
    events: list[Event] = []
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    for start, end in pairwise(places):
        engine.receive_data(data[start:end], 1.0)
        events += drain(engine)
    return events, engine.data_to_send(), engine


@bounded
@given(
    data=conversations,
    cuts=st.lists(st.integers(0, 500), max_size=8),
    socket_type=st.sampled_from(sorted(COMPATIBLE)),
    maxmsgsize=st.sampled_from([-1, 0, 10, 250]),
)
def test_a_connection_takes_anything(
    data: bytes, cuts: list[int], socket_type: str, maxmsgsize: int
) -> None:
    events, sent, engine = run(data, cuts, socket_type, maxmsgsize)
    assert (events, sent) == run(data, [], socket_type, maxmsgsize)[:2]
    assert [event for event in events[:-1] if isinstance(event, Ended)] == []
    ended = bool(events) and isinstance(events[-1], Ended)
    assert (engine.phase is Phase.CLOSED) == ended
    for event in events:
        if isinstance(event, MessageFrame) and maxmsgsize >= 0:
            assert len(event.body) <= maxmsgsize
    engine.receive_eof()
    assert len(drain(engine)) == (0 if ended else 1)


@bounded
@given(data=conversations)
def test_a_connection_that_asks_zap_takes_anything(data: bytes) -> None:
    engine = connection("ROUTER", mechanism=NullMechanism(ask_zap=True))
    engine.receive_data(data, 0.0)
    for event in drain(engine)[:-1]:
        assert not isinstance(event, Ended)
    assert engine.phase in (Phase.GREETING, Phase.HANDSHAKE, Phase.CLOSED)


def outcome(decode: Callable[..., object], *arguments: object) -> object:
    """Return what a decoder returns, or the error that it may raise."""
    try:
        return decode(*arguments)
    except ProtocolError as error:
        return error


@bounded
@given(
    data=st.binary(max_size=400),
    limit=st.integers(-1, 300),
    framing=st.sampled_from([frames.V1, frames.V2]),
)
def test_frames(data: bytes, limit: int, framing: frames.Framing) -> None:
    received = bytearray(data)
    frame = outcome(framing.take, received, limit, limit)
    if isinstance(frame, tuple):
        flags, body = frame
        assert data.endswith(body + bytes(received))
        assert limit < 0 or len(body) <= limit
        again = bytearray(framing.header(len(body), flags) + body)
        assert framing.take(again) == (flags, body)
    else:
        assert received == data


@bounded
@given(data=st.one_of(st.binary(max_size=80), properties))
def test_metadata(data: bytes) -> None:
    told = outcome(metadata.decode, data)
    if isinstance(told, dict):
        assert metadata.decode(metadata.encode(told.items())) == told


@bounded
@given(body=st.one_of(st.binary(max_size=80), command_bodies))
def test_commands(body: bytes) -> None:
    command = outcome(commands.decode, body)
    if isinstance(command, tuple):
        assert commands.encode(*command) == body
    outcome(commands.error_text, body)
    fields = outcome(commands.ping_fields, body)
    assert not isinstance(fields, tuple) or len(fields[1]) <= commands.PING_CONTEXT_MAX


@bounded
@given(
    bodies=st.lists(
        st.tuples(st.binary(max_size=600), st.booleans(), st.sampled_from(["frame", "command"])),
        max_size=12,
    ),
    chunk=st.integers(0, 30),
)
def test_two_engines_agree(bodies: list[tuple[bytes, bool, str]], chunk: int) -> None:
    wire = Wire(connection("DEALER"), connection("DEALER"), chunk=chunk)
    wire.settle()
    for body, more, kind in bodies:
        if kind == "frame":
            wire.left.send_frame(body, more)
        else:
            wire.left.send_command("SHMTAKE", body)
    _, told = wire.settle()
    assert told == [
        MessageFrame(body, more) if kind == "frame" else Command("SHMTAKE", body)
        for body, more, kind in bodies
    ]
