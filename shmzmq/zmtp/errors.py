"""Who broke the rules: the peer (ProtocolError) or our own caller (LocalError)."""

from enum import IntEnum
from errno import EPROTO


class ProtocolReason(IntEnum):
    """What a peer did wrong, with the numbers of libzmq's ZMQ_PROTOCOL_ERROR_* (zmq.h).

    A socket monitor reports them as the value of HANDSHAKE_FAILED_PROTOCOL.
    """

    ZMTP_UNSPECIFIED = 0x10000000
    ZMTP_UNEXPECTED_COMMAND = 0x10000001
    ZMTP_INVALID_SEQUENCE = 0x10000002
    ZMTP_KEY_EXCHANGE = 0x10000003
    ZMTP_MALFORMED_COMMAND_UNSPECIFIED = 0x10000011
    ZMTP_MALFORMED_COMMAND_MESSAGE = 0x10000012
    ZMTP_MALFORMED_COMMAND_HELLO = 0x10000013
    ZMTP_MALFORMED_COMMAND_INITIATE = 0x10000014
    ZMTP_MALFORMED_COMMAND_ERROR = 0x10000015
    ZMTP_MALFORMED_COMMAND_READY = 0x10000016
    ZMTP_MALFORMED_COMMAND_WELCOME = 0x10000017
    ZMTP_INVALID_METADATA = 0x10000018
    ZMTP_CRYPTOGRAPHIC = 0x11000001
    ZMTP_MECHANISM_MISMATCH = 0x11000002
    ZAP_UNSPECIFIED = 0x20000000
    ZAP_MALFORMED_REPLY = 0x20000001
    ZAP_BAD_REQUEST_ID = 0x20000002
    ZAP_BAD_VERSION = 0x20000003
    ZAP_INVALID_STATUS_CODE = 0x20000004
    ZAP_INVALID_METADATA = 0x20000005


class ProtocolError(Exception):
    """The peer broke the protocol, so its connection cannot go on.

    Raised by the decoders of this package; `Connection` turns it into a `ProtocolViolation` event,
    so users of a connection never see it raised.
    """

    def __init__(
        self,
        text: str,
        reason: ProtocolReason = ProtocolReason.ZMTP_UNSPECIFIED,
        *,
        code: int = EPROTO,
    ) -> None:
        super().__init__(text)
        self.text = text
        """What the peer sent and what was expected, for people."""
        self.reason = reason
        """The number that a socket monitor reports."""
        self.code = code
        """An errno value: EPROTO, or EMSGSIZE for a frame over its limit."""


class LocalError(RuntimeError):
    """A method was called in a phase where it has no meaning: a bug of the caller."""
