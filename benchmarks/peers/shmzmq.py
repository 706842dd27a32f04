"""shmzmq, the library of this repository."""

from benchmarks.peers.zeromq import ZeromqPeer

PEER = ZeromqPeer("shmzmq", module="shmzmq")
