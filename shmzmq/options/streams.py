"""Options of the stream transports: what is asked of the kernel's TCP, Unix and VMCI sockets."""

from ..constants import SocketOption
from .bounds import (
    INT_MIN,
    MINUS_ONE_OR_MORE,
    MINUS_ONE_OR_POSITIVE,
    NOT_NEGATIVE,
    POSITIVE,
    SWITCH,
    UINT64_MAX,
    AddressFilter,
    OneOf,
    Range,
    Text,
    Truth,
)
from .spec import CONNECTED, Held, OptionSpec, OptionValue

_TCP = ("tcp",)
_IPC = ("ipc",)
_VMCI = ("vmci",)
_LISTENING = ("ipc", "tcp")
# A user, group or process id as the kernel has it, an unsigned 32-bit number.
_KERNEL_ID = Range(0, 2**32 - 1)


def _set_ipv4only(value: OptionValue | None) -> dict[int, Held]:
    return {SocketOption.IPV4ONLY: int(not value)}


def _set_ipv6(value: OptionValue | None) -> dict[int, Held]:
    return {SocketOption.IPV6: int(not value)}


BUFFERS = (
    OptionSpec(
        SocketOption.SNDBUF,
        "The kernel's send buffer (SO_SNDBUF); -1: what the system gives.",
        -1,
        MINUS_ONE_OR_MORE,
        "tcp",
        unit="bytes",
    ),
    OptionSpec(
        SocketOption.RCVBUF,
        "The kernel's receive buffer (SO_RCVBUF); -1: what the system gives.",
        -1,
        MINUS_ONE_OR_MORE,
        "tcp",
        unit="bytes",
    ),
    OptionSpec(
        SocketOption.TCP_SEND_BUFFER,
        "At most how much one system call may send.",
        8192,
        POSITIVE,
        "tcp",
        unit="bytes",
        transports=_TCP,
    ),
    OptionSpec(
        SocketOption.TCP_RECV_BUFFER,
        "At most how much one system call may receive.",
        8192,
        POSITIVE,
        "tcp",
        unit="bytes",
        transports=_TCP,
    ),
    OptionSpec(
        SocketOption.OUT_BATCH_SIZE,
        "At most how much is gathered for one system call that sends.",
        8192,
        POSITIVE,
        "tcp",
        unit="bytes",
        transports=CONNECTED,
    ),
    OptionSpec(
        SocketOption.IN_BATCH_SIZE,
        "At most how much one system call receives.",
        8192,
        POSITIVE,
        "tcp",
        unit="bytes",
        transports=CONNECTED,
    ),
)

TCP = (
    OptionSpec(
        SocketOption.IPV6,
        "1: IPv6 and IPv4; 0: IPv4 only.",
        0,
        SWITCH,
        "tcp",
        transports=_TCP,
        implies=_set_ipv4only,
    ),
    OptionSpec(
        SocketOption.IPV4ONLY,
        "The reverse of IPV6, which is the newer name.",
        1,
        SWITCH,
        "tcp",
        transports=_TCP,
        implies=_set_ipv6,
    ),
    OptionSpec(
        SocketOption.CONNECT_TIMEOUT,
        "How long one attempt to connect may take; 0: as long as the system lets it.",
        0,
        NOT_NEGATIVE,
        "tcp",
        unit="milliseconds",
        transports=_TCP,
        takes_effect="next connect",
    ),
    OptionSpec(
        SocketOption.TCP_MAXRT,
        "How long sent bytes may stay unacknowledged before the connection is given up; 0: as "
        "long as the system lets them.",
        0,
        NOT_NEGATIVE,
        "tcp",
        unit="milliseconds",
        transports=_TCP,
    ),
    OptionSpec(
        SocketOption.TCP_KEEPALIVE,
        "SO_KEEPALIVE: 1 on, 0 off, -1 what the system does.",
        -1,
        OneOf(-1, 0, 1),
        "tcp",
        transports=_TCP,
    ),
    OptionSpec(
        SocketOption.TCP_KEEPALIVE_CNT,
        "TCP_KEEPCNT, probes without answer that end a connection; -1: what the system does.",
        -1,
        MINUS_ONE_OR_POSITIVE,
        "tcp",
        unit="probes",
        transports=_TCP,
    ),
    OptionSpec(
        SocketOption.TCP_KEEPALIVE_IDLE,
        "TCP_KEEPIDLE, silence before the first probe; -1: what the system does.",
        -1,
        MINUS_ONE_OR_POSITIVE,
        "tcp",
        unit="seconds",
        transports=_TCP,
    ),
    OptionSpec(
        SocketOption.TCP_KEEPALIVE_INTVL,
        "TCP_KEEPINTVL, time between probes; -1: what the system does.",
        -1,
        MINUS_ONE_OR_POSITIVE,
        "tcp",
        unit="seconds",
        transports=_TCP,
    ),
    OptionSpec(
        SocketOption.TOS,
        "The type-of-service byte of IP packets: six bits of DSCP, two of ECN.",
        0,
        Range(0, 255),
        "tcp",
        transports=_TCP,
    ),
    OptionSpec(
        SocketOption.PRIORITY,
        "The kernel's queueing priority of packets (SO_PRIORITY).",
        0,
        NOT_NEGATIVE,
        "tcp",
        transports=_TCP,
    ),
    OptionSpec(
        SocketOption.BUSY_POLL,
        "How long the kernel polls the device before it sleeps (SO_BUSY_POLL); 0: not at all.",
        0,
        NOT_NEGATIVE,
        "tcp",
        unit="microseconds",
        transports=_TCP,
    ),
    OptionSpec(
        SocketOption.BINDTODEVICE,
        "The network interface to use, and no other (SO_BINDTODEVICE).",
        b"",
        Text(1, 15),
        "tcp",
        transports=_TCP,
        nullable=True,
    ),
    OptionSpec(
        SocketOption.LOOPBACK_FASTPATH,
        "For Windows, where it speeds up the loopback interface; taken for its sake elsewhere.",
        0,
        Truth(INT_MIN),
        "tcp",
        transports=_TCP,
    ),
    OptionSpec(
        SocketOption.TCP_ACCEPT_FILTER,
        "Accept peers only from this address or network, one more with each call; None: from all.",
        (),
        AddressFilter(),
        "tcp",
        transports=_TCP,
        access="w",
        takes_effect="next bind",
        keeps="all",
        nullable=True,
    ),
    OptionSpec(
        SocketOption.SOCKS_PROXY,
        "Connect through the SOCKS5 proxy at this host:port, which also resolves host names.",
        b"",
        Text(1, 1024),
        "tcp",
        transports=_TCP,
        takes_effect="next connect",
        nullable=True,
    ),
    OptionSpec(
        SocketOption.SOCKS_USERNAME,
        "The name to log in to the SOCKS5 proxy with; empty: no login.",
        b"",
        Text(0, 255),
        "tcp",
        transports=_TCP,
        takes_effect="next connect",
        nullable=True,
    ),
    OptionSpec(
        SocketOption.SOCKS_PASSWORD,
        "The password to log in to the SOCKS5 proxy with.",
        b"",
        Text(0, 255),
        "tcp",
        transports=_TCP,
        takes_effect="next connect",
        nullable=True,
        secret=True,
    ),
)

IPC = (
    OptionSpec(
        SocketOption.USE_FD,
        "Accept on this descriptor, which is bound and listens already, instead of making one; "
        "-1: make one.",
        -1,
        MINUS_ONE_OR_MORE,
        "ipc",
        unit="file descriptor",
        transports=_LISTENING,
        takes_effect="next bind",
    ),
    OptionSpec(
        SocketOption.IPC_FILTER_UID,
        "Accept peers of this user, one more with each call; None: of all.",
        (),
        _KERNEL_ID,
        "ipc",
        unit="user id",
        transports=_IPC,
        access="w",
        takes_effect="next bind",
        keeps="all",
        nullable=True,
    ),
    OptionSpec(
        SocketOption.IPC_FILTER_GID,
        "Accept peers of this group, one more with each call; None: of all.",
        (),
        _KERNEL_ID,
        "ipc",
        unit="group id",
        transports=_IPC,
        access="w",
        takes_effect="next bind",
        keeps="all",
        nullable=True,
    ),
    OptionSpec(
        SocketOption.IPC_FILTER_PID,
        "Accept this process as a peer, one more with each call; None: all.",
        (),
        _KERNEL_ID,
        "ipc",
        unit="process id",
        transports=_IPC,
        access="w",
        takes_effect="next bind",
        keeps="all",
        nullable=True,
    ),
)

VMCI = (
    OptionSpec(
        SocketOption.VMCI_BUFFER_SIZE,
        "The size of a VMCI socket's buffer.",
        65_546,
        Range(0, UINT64_MAX),
        "vmci",
        unit="bytes",
        transports=_VMCI,
    ),
    OptionSpec(
        SocketOption.VMCI_BUFFER_MIN_SIZE,
        "The least size that the peer may ask for.",
        128,
        Range(0, UINT64_MAX),
        "vmci",
        unit="bytes",
        transports=_VMCI,
    ),
    OptionSpec(
        SocketOption.VMCI_BUFFER_MAX_SIZE,
        "The greatest size that the peer may ask for.",
        262_144,
        Range(0, UINT64_MAX),
        "vmci",
        unit="bytes",
        transports=_VMCI,
    ),
    OptionSpec(
        SocketOption.VMCI_CONNECT_TIMEOUT,
        "How long one attempt to connect may take; -1: as long as the system lets it.",
        -1,
        MINUS_ONE_OR_MORE,
        "vmci",
        unit="milliseconds",
        transports=_VMCI,
        takes_effect="next connect",
    ),
)

ROWS = (*BUFFERS, *TCP, *IPC, *VMCI)
