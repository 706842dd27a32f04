"""Random and nearly right octets from a peer into the relay, which is compiled.

Invariant: it delivers what the decoder in plain Python finds in the same octets, whole messages
only, however these were cut into pieces; it ends where that one raises, and nowhere else.
"""

import contextlib
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from support.pipe_ends import Held, receive_all
from support.pipes import discard
from support.raw_peer import frame
from support.relays import Relay, make_relay

from shmzmq.patterns.dealer import Dealer
from shmzmq.workers.receiving import Receiving
from shmzmq.workers.relay import Turn
from shmzmq.zmtp import frames
from shmzmq.zmtp.errors import ProtocolError

LIMIT = 300
FRAMINGS = {"1.0": frames.V1, "2.0": frames.V2}

Found = tuple[list[list[bytes]], list[bytes], bool]
"""Messages, commands, and whether the octets broke the rules."""

bodies = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([254, 255, 256, LIMIT, LIMIT + 1]).map(bytes),
)
right_frames = st.builds(frame, bodies, st.sampled_from([0, frames.MORE, frames.COMMAND]))
old_frames = st.builds(
    lambda body, flags: frames.V1.header(len(body), flags) + body,
    bodies,
    st.sampled_from([0, frames.MORE]),
)
conversations = st.lists(
    st.one_of(*[right_frames] * 4, old_frames, st.binary(max_size=12)), max_size=8
).map(b"".join)


def expected(octets: bytes, framing: str) -> Found:
    """Decode in plain Python."""
    rest = bytearray(octets)
    messages: list[list[bytes]] = []
    commands: list[bytes] = []
    parts: list[bytes] = []
    try:
        while (found := FRAMINGS[framing].take(rest, LIMIT, LIMIT)) is not None:
            flags, body = found
            if flags & frames.COMMAND:
                commands.append(body)
                continue
            parts.append(body)
            if not flags & frames.MORE:
                messages.append(parts)
                parts = []
    except ProtocolError:
        return messages, commands, True
    return messages, commands, False


def relayed(relay: Relay, octets: bytes, cuts: list[int], framing: str) -> Found:
    """Have the relay read the octets, cut at *cuts*."""
    receiving = relay.receiving(framing=framing, limit=LIMIT)
    commands: list[bytes] = []
    places = [0, *sorted({cut % (len(octets) + 1) for cut in cuts}), len(octets)]
    broken = False
    with contextlib.suppress(ProtocolError):
        broken = True
        for start, end in pairwise(places):
            relay.far.sendall(octets[start:end])
            take(receiving, commands)
        broken = False
    return receive_all(relay.application), commands, broken


def take(receiving: Receiving, commands: list[bytes]) -> None:
    """Take turns until nothing is left to read."""
    while (state := receiving.receive()) != Turn.IDLE:
        assert state in (Turn.MORE, Turn.COMMAND)
        if state == Turn.COMMAND:
            commands.append(receiving.command)


@settings(max_examples=1000, deadline=None)
@given(
    octets=conversations,
    cuts=st.lists(st.integers(0, 3000), max_size=6),
    framing=st.sampled_from(["2.0", "2.0", "1.0"]),
)
def test_the_relay_finds_what_the_plain_decoder_finds(
    octets: bytes, cuts: list[int], framing: str
) -> None:
    held: Held = []
    relay = make_relay(held, Dealer())
    try:
        assert relayed(relay, octets, cuts, framing) == expected(octets, framing)
    finally:
        relay.near.close()
        relay.far.close()
        discard(*held)
