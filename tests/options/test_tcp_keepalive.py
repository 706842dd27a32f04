"""TCP_KEEPALIVE, TCP_KEEPALIVE_CNT, TCP_KEEPALIVE_IDLE and TCP_KEEPALIVE_INTVL: "Override
'SO_KEEPALIVE' ['TCP_KEEPCNT', 'TCP_KEEPIDLE', 'TCP_KEEPINTVL'] socket option (where supported by
OS). The default value of -1 means to skip any overrides and leave it to OS default."
"""

import socket
from pathlib import Path
from typing import Any

import pytest
from support.asked import SOL, TCP, Asked, both_ways, workers_only
from support.factory import SocketFactory
from support.plain import Plain

pytestmark = workers_only

# What tcp(7) says the system does by default, unless an administrator says otherwise.
DEFAULT = {
    name: int(Path(f"/proc/sys/net/ipv4/tcp_keepalive_{name}").read_text())
    for name in ("time", "intvl", "probes")
}

EFFECTS = [
    Asked({}, SOL, socket.SO_KEEPALIVE, 0),
    Asked({"tcp_keepalive": -1}, SOL, socket.SO_KEEPALIVE, 0),
    Asked({"tcp_keepalive": 1}, SOL, socket.SO_KEEPALIVE, 1),
    Asked({"tcp_keepalive": 0}, SOL, socket.SO_KEEPALIVE, 0),
    Asked({"tcp_keepalive": 1}, TCP, socket.TCP_KEEPCNT, DEFAULT["probes"]),
    Asked({"tcp_keepalive": 1}, TCP, socket.TCP_KEEPIDLE, DEFAULT["time"]),
    Asked({"tcp_keepalive": 1}, TCP, socket.TCP_KEEPINTVL, DEFAULT["intvl"]),
    Asked({"tcp_keepalive": 1, "tcp_keepalive_cnt": 3}, TCP, socket.TCP_KEEPCNT, 3),
    Asked({"tcp_keepalive": 1, "tcp_keepalive_idle": 77}, TCP, socket.TCP_KEEPIDLE, 77),
    Asked({"tcp_keepalive": 1, "tcp_keepalive_intvl": 5}, TCP, socket.TCP_KEEPINTVL, 5),
    Asked({"tcp_keepalive_cnt": 3}, TCP, socket.TCP_KEEPCNT, DEFAULT["probes"]),
    Asked({"tcp_keepalive_idle": 77}, TCP, socket.TCP_KEEPIDLE, DEFAULT["time"]),
    Asked({"tcp_keepalive_intvl": 5}, TCP, socket.TCP_KEEPINTVL, DEFAULT["intvl"]),
]


@both_ways
@pytest.mark.parametrize("asked", EFFECTS)
def test_what_the_kernel_is_asked_for(
    plain: Plain, sockets: SocketFactory, meet: Any, asked: Asked
) -> None:
    asked.check(meet, plain, sockets)
