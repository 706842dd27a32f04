"""Options of the security mechanisms NULL, PLAIN, CURVE and GSSAPI, and of ZAP.

There is no option to choose the mechanism: the one whose option was set last counts, and MECHANISM
says which that is.
"""

from ..constants import SecurityMechanism, SocketOption
from .bounds import INT_MIN, SHORT_TEXT, SWITCH, CurveKey, OneOf, Truth
from .spec import CONNECTED, Held, Implies, OptionSpec, OptionValue

_SERVERS = (SocketOption.PLAIN_SERVER, SocketOption.CURVE_SERVER, SocketOption.GSSAPI_SERVER)
# What a GSSAPI name is: of a host's service, of a user, of a Kerberos principal.
_NAME_TYPES = OneOf(0, 1, 2)


def _chooses(
    mechanism: SecurityMechanism,
    *,
    server: SocketOption | None = None,
    off: SecurityMechanism = SecurityMechanism.NULL,
) -> Implies:
    """Return what an option of `mechanism` implies: the choice of it, and no other server role.

    server:  the one role that stays as it is; with None a client's option ends every server role
    off:     the mechanism when the value is 0 or None
    """

    def implied(value: OptionValue | None) -> dict[int, Held]:
        changes: dict[int, Held] = {role: 0 for role in _SERVERS if role is not server}
        changes[SocketOption.MECHANISM] = int(mechanism if value else off)
        return changes

    return implied


ROWS = (
    OptionSpec(
        SocketOption.MECHANISM,
        "The mechanism in force: 0 NULL, 1 PLAIN, 2 CURVE, 3 GSSAPI.",
        0,
        None,
        "security",
        transports=CONNECTED,
        access="r",
    ),
    OptionSpec(
        SocketOption.ZAP_DOMAIN,
        "The domain named to the ZAP handler (RFC 27); with NULL, peers are asked about only "
        "when it is set.",
        b"",
        SHORT_TEXT,
        "security",
        transports=CONNECTED,
        nullable=True,
    ),
    OptionSpec(
        SocketOption.ZAP_ENFORCE_DOMAIN,
        "1: with NULL too, no peer is accepted without a ZAP handler once ZAP_DOMAIN is set.",
        0,
        Truth(INT_MIN),
        "security",
        transports=CONNECTED,
    ),
    OptionSpec(
        SocketOption.PLAIN_SERVER,
        "1: PLAIN, as the server; 0: NULL.",
        0,
        SWITCH,
        "security",
        transports=CONNECTED,
        implies=_chooses(SecurityMechanism.PLAIN, server=SocketOption.PLAIN_SERVER),
    ),
    OptionSpec(
        SocketOption.PLAIN_USERNAME,
        "PLAIN, as a client of this name; None: NULL.",
        b"",
        SHORT_TEXT,
        "security",
        transports=CONNECTED,
        nullable=True,
        implies=_chooses(SecurityMechanism.PLAIN),
    ),
    OptionSpec(
        SocketOption.PLAIN_PASSWORD,
        "PLAIN, as a client with this password; None: NULL.",
        b"",
        SHORT_TEXT,
        "security",
        transports=CONNECTED,
        nullable=True,
        secret=True,
        implies=_chooses(SecurityMechanism.PLAIN),
    ),
    OptionSpec(
        SocketOption.CURVE_SERVER,
        "1: CURVE, as the server, whose CURVE_SECRETKEY must be set; 0: NULL.",
        0,
        SWITCH,
        "security",
        transports=CONNECTED,
        implies=_chooses(SecurityMechanism.CURVE, server=SocketOption.CURVE_SERVER),
    ),
    OptionSpec(
        SocketOption.CURVE_PUBLICKEY,
        "This socket's public key; clients need it.",
        b"",
        CurveKey(),
        "security",
        transports=CONNECTED,
        implies=_chooses(SecurityMechanism.CURVE, server=SocketOption.CURVE_SERVER),
    ),
    OptionSpec(
        SocketOption.CURVE_SECRETKEY,
        "This socket's secret key; clients and servers need it.",
        b"",
        CurveKey(),
        "security",
        transports=CONNECTED,
        secret=True,
        implies=_chooses(SecurityMechanism.CURVE, server=SocketOption.CURVE_SERVER),
    ),
    OptionSpec(
        SocketOption.CURVE_SERVERKEY,
        "CURVE, as a client of the server with this public key.",
        b"",
        CurveKey(),
        "security",
        transports=CONNECTED,
        implies=_chooses(SecurityMechanism.CURVE),
    ),
    OptionSpec(
        SocketOption.GSSAPI_SERVER,
        "GSSAPI, 1: as the server, 0: as a client.",
        0,
        SWITCH,
        "security",
        transports=CONNECTED,
        implies=_chooses(
            SecurityMechanism.GSSAPI,
            server=SocketOption.GSSAPI_SERVER,
            off=SecurityMechanism.GSSAPI,
        ),
    ),
    OptionSpec(
        SocketOption.GSSAPI_PRINCIPAL,
        "The principal whose credentials this socket uses.",
        b"",
        SHORT_TEXT,
        "security",
        transports=CONNECTED,
        implies=_chooses(SecurityMechanism.GSSAPI, server=SocketOption.GSSAPI_SERVER),
    ),
    OptionSpec(
        SocketOption.GSSAPI_SERVICE_PRINCIPAL,
        "GSSAPI, as a client of the server that is this principal.",
        b"",
        SHORT_TEXT,
        "security",
        transports=CONNECTED,
        implies=_chooses(SecurityMechanism.GSSAPI),
    ),
    OptionSpec(
        SocketOption.GSSAPI_PLAINTEXT,
        "1: authenticate only; 0: encrypt too.",
        0,
        SWITCH,
        "security",
        transports=CONNECTED,
    ),
    OptionSpec(
        SocketOption.GSSAPI_PRINCIPAL_NAMETYPE,
        "What GSSAPI_PRINCIPAL is: 0 the service of a host, 1 a user, 2 a Kerberos principal.",
        0,
        _NAME_TYPES,
        "security",
        transports=CONNECTED,
    ),
    OptionSpec(
        SocketOption.GSSAPI_SERVICE_PRINCIPAL_NAMETYPE,
        "What GSSAPI_SERVICE_PRINCIPAL is: 0 the service of a host, 1 a user, 2 a Kerberos "
        "principal.",
        0,
        _NAME_TYPES,
        "security",
        transports=CONNECTED,
    ),
)
