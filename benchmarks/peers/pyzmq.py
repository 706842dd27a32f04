"""pyzmq: libzmq from Python, the library that shmzmq stands in for."""

from benchmarks.peers.zeromq import ZeromqPeer

PEER = ZeromqPeer("pyzmq", module="zmq", wraps_libzmq=True)
