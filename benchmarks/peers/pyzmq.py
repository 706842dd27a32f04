"""pyzmq: libzmq from Python, the library that shmzmq stands in for."""

from benchmarks.peers.styles import StyledPeer
from benchmarks.peers.zeromq import ZeromqPeer

PEER = ZeromqPeer("pyzmq", module="zmq", wraps_libzmq=True)
NOT_COPYING = StyledPeer(
    "pyzmq, copy=False", module="zmq", wraps_libzmq=True, views=True, frames=True
)
