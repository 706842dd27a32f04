"""Z85, the text form of binary keys (RFC 32): four bytes are five printable characters."""

from ..options.bounds import Z85_DIGITS, decode_z85

Z85CHARS = Z85_DIGITS
__all__ = ["Z85CHARS", "decode", "encode"]


def encode(rawbytes: bytes) -> bytes:
    """Return *rawbytes* in Z85. Raises ValueError unless their length is a multiple of four."""
    if len(rawbytes) % 4:
        raise ValueError(f"Z85 encodes groups of four bytes, not {len(rawbytes)}")
    encoded = bytearray()
    for start in range(0, len(rawbytes), 4):
        word = int.from_bytes(rawbytes[start : start + 4], "big")
        encoded += bytes(Z85_DIGITS[word // 85**place % 85] for place in (4, 3, 2, 1, 0))
    return bytes(encoded)


def decode(z85bytes: bytes | str) -> bytes:
    """Return the bytes that *z85bytes* stand for. Raises ValueError for what is not Z85."""
    text = z85bytes.encode("ascii") if isinstance(z85bytes, str) else bytes(z85bytes)
    decoded = decode_z85(text)
    if decoded is None:
        raise ValueError(f"{text!r} is not Z85: groups of five of its 85 digits")
    return decoded
