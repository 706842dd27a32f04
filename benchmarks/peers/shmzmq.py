"""shmzmq, the library of this repository."""

from benchmarks.peers.styles import StyledPeer
from benchmarks.peers.zeromq import ZeromqPeer

PEER = ZeromqPeer("shmzmq", module="shmzmq")
VIEWING = StyledPeer("shmzmq, view", module="shmzmq", views=True)
LENDING = StyledPeer("shmzmq, loan and view", module="shmzmq", views=True, loans=True)
