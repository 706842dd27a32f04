"""A program of Debian's Python and libzmq: sends back what it gets. Needs nothing but pyzmq.

    echo.py TYPE bind|connect ENDPOINT BACK

A PULL, SUB or XSUB sends what it receives to the PULL at the endpoint BACK; a PUB or PUSH sends
what comes from the PUSH there; all others answer. The first line that it writes is its endpoint.
Ends with its standard input.
"""

import select
import sys

import zmq

TYPE, HOW, ENDPOINT, BACK = sys.argv[1:]
RECEIVERS, SENDERS = ("PULL", "SUB", "XSUB"), ("PUSH", "PUB", "XPUB")


def run() -> None:
    """Echo until nobody is interested any more."""
    context = zmq.Context()
    socket, other = context.socket(getattr(zmq, TYPE)), context.socket(zmq.PAIR)
    for each in (socket, other):
        each.linger = 0
        each.ipv6 = True
    if TYPE == "SUB":
        socket.subscribe(b"")
    getattr(socket, HOW)(ENDPOINT)
    other.connect(BACK)
    if TYPE == "XSUB":
        socket.send(b"\x01")
    print(socket.last_endpoint.rstrip(b"\0").decode(), flush=True)
    poller = zmq.Poller()
    source = other if TYPE in SENDERS else socket
    target = other if TYPE in RECEIVERS else socket
    poller.register(source, zmq.POLLIN)
    poller.register(sys.stdin, select.POLLIN)
    while sys.stdin.fileno() not in dict(poller.poll()):
        target.send_multipart(source.recv_multipart())
    context.destroy()


run()
