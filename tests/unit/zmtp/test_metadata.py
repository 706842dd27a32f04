"""Properties against exact octets, and the table of socket types.

Source: RFC 37, "Connection Metadata".
"""

import itertools

import pytest

from shmzmq.zmtp import metadata
from shmzmq.zmtp.errors import ProtocolError, ProtocolReason


@pytest.mark.parametrize(
    ("properties", "octets"),
    [
        ({}, b""),
        ({"Socket-Type": b"REQ"}, b"\x0bSocket-Type\0\0\0\x03REQ"),
        (
            {"Identity": b"", "Resource": b"system/name", "X-Ample": b"\0\xff"},
            b"\x08Identity\0\0\0\0\x08Resource\0\0\0\x0bsystem/name\x07X-Ample\0\0\0\x02\0\xff",
        ),
        ({"X" * 255: b"v" * 70000}, b"\xff" + b"X" * 255 + b"\0\x01\x11\x70" + b"v" * 70000),
        ({"X-é": b"1"}, b"\x04X-\xc3\xa9\0\0\0\x011"),
        ({"X-\udcff": b"1"}, b"\x03X-\xff\0\0\0\x011"),
    ],
)
def test_octets_and_back(properties: dict[str, bytes], octets: bytes) -> None:
    assert metadata.encode(properties.items()) == octets
    assert metadata.decode(octets) == properties


@pytest.mark.parametrize("name", ["", "X" * 256, "é" * 128])
def test_names_that_do_not_fit(name: str) -> None:
    with pytest.raises(ValueError, match="1 to 255 bytes"):
        metadata.encode([(name, b"")])


def test_case_of_a_name_has_no_meaning_and_the_first_counts() -> None:
    one = metadata.encode([("socket-type", b"REQ"), ("SOCKET-TYPE", b"REP"), ("x-a", b"1")])
    assert metadata.decode(one + metadata.encode([("X-A", b"2")])) == {
        "Socket-Type": b"REQ",
        "x-a": b"1",
    }


WHOLE = metadata.encode([("Socket-Type", b"REQ"), ("X-a", b"b")])


@pytest.mark.parametrize(
    "data",
    [WHOLE[:end] for end in range(1, len(WHOLE)) if end != 19]
    + [b"\0\0\0\0\0", b"\x01X\xff\xff\xff\xff", b"\x01X\x80\0\0\0", WHOLE + b"\0"],
)
def test_malformed(data: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        metadata.decode(data)
    assert caught.value.reason == ProtocolReason.ZMTP_INVALID_METADATA


def test_identity_has_at_most_255_octets() -> None:
    fits = metadata.encode([("Identity", b"i" * 255)])
    assert metadata.decode(fits) == {"Identity": b"i" * 255}
    with pytest.raises(ProtocolError, match="identity"):
        metadata.decode(metadata.encode([("identity", b"i" * 256)]))


# RFC 37, "The Socket-Type Property", as it is printed there, without the draft types
LEGAL = """
REQ: REP ROUTER      REP: REQ DEALER    DEALER: REP DEALER ROUTER   ROUTER: REQ DEALER ROUTER
PUB: SUB XSUB        XPUB: SUB XSUB     SUB: PUB XPUB               XSUB: PUB XPUB
PUSH: PULL           PULL: PUSH         PAIR: PAIR
"""


def legal_pairs() -> set[tuple[str, str]]:
    """Return the pairs that LEGAL lists."""
    pairs, ours = set(), ""
    for word in LEGAL.split():
        if word.endswith(":"):
            ours = word[:-1]
        else:
            pairs.add((ours, word))
    return pairs


def test_socket_types_that_go_together() -> None:
    legal = legal_pairs()
    types = {ours for ours, _ in legal}
    assert types == set(metadata.COMPATIBLE)
    for ours, theirs in itertools.product(types, types | {"STREAM", "", "req", "XREQ"}):
        properties = {"Socket-Type": theirs.encode()}
        if (ours, theirs) in legal:
            metadata.check_peer(ours, properties)
        else:
            with pytest.raises(ProtocolError) as caught:
                metadata.check_peer(ours, properties)
            assert caught.value.reason == ProtocolReason.ZMTP_INVALID_METADATA
        assert ((theirs, ours) in legal) == ((ours, theirs) in legal)


def test_a_peer_that_does_not_tell_its_type_passes() -> None:
    metadata.check_peer("REQ", {"X-a": b"b"})


@pytest.mark.parametrize("socket_type", sorted(metadata.COMPATIBLE))
def test_identity_is_told_where_libzmq_tells_it(socket_type: str) -> None:
    told = metadata.decode(metadata.local_properties(socket_type, b"me", {"X-a": b"b"}))
    expected = {"Socket-Type": socket_type.encode(), "X-a": b"b"}
    if socket_type in ("REQ", "DEALER", "ROUTER"):
        expected["Identity"] = b"me"
    assert told == expected


@pytest.mark.parametrize(
    ("socket_type", "identity", "extra", "match"),
    [
        ("STREAM", b"", {}, "socket type"),
        ("dealer", b"", {}, "socket type"),
        ("DEALER", b"i" * 256, {}, "identity"),
        ("DEALER", b"", {"identity": b"x"}, "by itself"),
        ("DEALER", b"", {"Socket-Type": b"REQ"}, "by itself"),
    ],
)
def test_what_we_cannot_tell(
    socket_type: str, identity: bytes, extra: dict[str, bytes], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        metadata.check_local(socket_type, identity, extra)


def test_what_the_zap_handler_says_wins() -> None:
    told = {"user-ID": b"root", "Peer-Address": b"::1", "X-a": b"theirs", "Identity": b"i"}
    known = metadata.known_of_peer(told, {"User-Id": b"joe", "X-a": b"zap"})
    assert known == {"X-a": b"zap", "Identity": b"i", "User-Id": b"joe"}
    assert metadata.known_of_peer(told, {}) == {"X-a": b"theirs", "Identity": b"i"}


def test_octets_of_socket_types() -> None:
    """RFC 15 lists nine types; libzmq sends 9 and 10 for XPUB and XSUB, which we read, too."""
    names = ["PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH"]
    assert [metadata.type_octet(name) for name in names] == list(range(9))
    assert (metadata.type_octet("XPUB"), metadata.type_octet("XSUB")) == (1, 2)
    assert [metadata.type_of_octet(octet).decode() for octet in range(11)] == [
        *names,
        "XPUB",
        "XSUB",
    ]
    for octet in (11, 255):
        with pytest.raises(ProtocolError):
            metadata.type_of_octet(octet)
