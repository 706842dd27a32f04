"""The SOCKS5 client, octet by octet (RFC 1928, RFC 1929)."""

import errno

import pytest
from shmzmq.transports.tcp.address import Place
from shmzmq.transports.tcp.socks import SocksOpening

CONNECTED = bytes.fromhex("05000001 00000000 0000")
REQUEST_HEAD = bytes.fromhex("050100")


def converse(opening: SocksOpening, answers: list[bytes], chunk: int) -> list[bytes]:
    """Give the answers in pieces of at most *chunk* octets; return what was said each time."""
    said = [opening.data_to_send()]
    for answer in answers:
        rest = answer
        while rest:
            size = min(chunk, opening.wanted)
            assert size, f"it is done, and {rest!r} is left"
            opening.receive_data(rest[:size])
            rest = rest[size:]
        said.append(opening.data_to_send())
    return said


@pytest.mark.parametrize("chunk", [1, 1000])
@pytest.mark.parametrize(
    ("place", "encoded"),
    [
        (Place("10.1.2.3", 5555), "01 0a010203 15b3"),
        (Place("::1", 1), "04 00000000000000000000000000000001 0001"),
        (Place("example.org", 80), "03 0b 6578616d706c652e6f7267 0050"),
    ],
)
def test_without_login(place: Place, encoded: str, chunk: int) -> None:
    opening = SocksOpening(place)
    said = converse(opening, [b"\x05\x00", CONNECTED], chunk)
    assert said == [b"\x05\x01\x00", REQUEST_HEAD + bytes.fromhex(encoded), b""]
    assert opening.wanted == 0


@pytest.mark.parametrize("chunk", [1, 1000])
def test_with_user_name_and_password(chunk: int) -> None:
    opening = SocksOpening(Place("10.0.0.1", 1), b"ada", b"secret")
    said = converse(opening, [b"\x05\x02", b"\x01\x00", CONNECTED], chunk)
    assert said[:2] == [b"\x05\x01\x02", b"\x01\x03ada\x06secret"]
    assert said[2] == REQUEST_HEAD + bytes.fromhex("01 0a000001 0001")
    assert opening.wanted == 0


def test_a_user_without_a_password() -> None:
    opening = SocksOpening(Place("10.0.0.1", 1), b"ada")
    assert converse(opening, [b"\x05\x02"], 9)[1] == b"\x01\x03ada\x00"


@pytest.mark.parametrize("chunk", [1, 1000])
@pytest.mark.parametrize(
    "answer", ["05000004 00112233445566778899aabbccddeeff 0102", "05000003 03 616263 0102"]
)
def test_the_address_in_the_answer_may_be_of_any_kind(answer: str, chunk: int) -> None:
    opening = SocksOpening(Place("10.0.0.1", 1))
    converse(opening, [b"\x05\x00", bytes.fromhex(answer)], chunk)
    assert opening.wanted == 0


def test_it_asks_for_not_one_octet_too_many() -> None:
    # What the peer says first comes right behind the proxy's answer, and is not the proxy's.
    opening = SocksOpening(Place("10.0.0.1", 1))
    stream = b"\x05\x00" + CONNECTED + b"\xff\x00\x00"
    while opening.wanted:
        size = opening.wanted
        opening.receive_data(stream[:size])
        stream = stream[size:]
    assert stream == b"\xff\x00\x00"
    with pytest.raises(ValueError, match="0 are wanted"):
        opening.receive_data(b"\xff")


@pytest.mark.parametrize(
    ("answers", "number", "words"),
    [
        ([b"\x04\x00"], errno.EPROTO, "version 4"),
        ([b"HT"], errno.EPROTO, "version 72"),
        ([b"\x05\xff"], errno.EACCES, "a login without name"),
        ([b"\x05\x01"], errno.EPROTO, "method 1"),
        ([b"\x05\x00", b"\x05\x01\x00\x01"], errno.ECONNABORTED, "it failed"),
        ([b"\x05\x00", b"\x05\x02\x00\x01"], errno.EACCES, "its rules forbid it"),
        ([b"\x05\x00", b"\x05\x03\x00\x01"], errno.ENETUNREACH, "network"),
        ([b"\x05\x00", b"\x05\x04\x00\x01"], errno.EHOSTUNREACH, "name is not known"),
        ([b"\x05\x00", b"\x05\x05\x00\x01"], errno.ECONNREFUSED, "refused"),
        ([b"\x05\x00", b"\x05\x06\x00\x01"], errno.ETIMEDOUT, "time to live"),
        ([b"\x05\x00", b"\x05\x07\x00\x01"], errno.EOPNOTSUPP, "command"),
        ([b"\x05\x00", b"\x05\x08\x00\x01"], errno.EAFNOSUPPORT, "kind of address"),
        ([b"\x05\x00", b"\x05\x99\x00\x01"], errno.EPROTO, "153"),
        ([b"\x05\x00", b"\x04\x00\x00\x01"], errno.EPROTO, "version 4"),
        ([b"\x05\x00", b"\x05\x00\x00\x02"], errno.EPROTO, "kind 2"),
    ],
)
def test_refusals_say_why(answers: list[bytes], number: int, words: str) -> None:
    with pytest.raises(OSError, match=words) as caught:
        converse(SocksOpening(Place("10.0.0.1", 1)), answers, 1)
    assert caught.value.errno == number


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([b"\x05\xff"], "the user name and password"),
        ([b"\x05\x02", b"\x01\x07"], r"refused.*\(7\)"),
    ],
)
def test_refused_logins(answers: list[bytes], words: str) -> None:
    with pytest.raises(OSError, match=words) as caught:
        converse(SocksOpening(Place("10.0.0.1", 1), b"ada", b"x"), answers, 1)
    assert caught.value.errno == errno.EACCES


def test_a_host_name_that_is_too_long() -> None:
    opening = SocksOpening(Place("x" * 256, 1))
    with pytest.raises(OSError, match="256 octets") as caught:
        converse(opening, [b"\x05\x00"], 9)
    assert caught.value.errno == errno.ENAMETOOLONG
