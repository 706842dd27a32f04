"""tcp: byte streams to other machines, IPv4 and IPv6 (zmq_tcp(7)).

`address` has the grammar of endpoints, `names` finds out what they stand for, `tuning` asks the
kernel for what the socket options say, `socks` talks to a SOCKS5 proxy. `transport` puts them
together.
"""

from .transport import TcpTransport

__all__ = ["TcpTransport"]
