"""The shared-memory upgrade of an ipc connection: what two workers say once ZMTP has shaken hands.

Each side offers it in the property X-Shmzmq of its READY. When both do, the connecting side goes
on:

    connecting                                       accepting
        SHMPIPE  segment, its own end  +doorbell →       maps the segment, reserves a bit
                                                  ←  SHMTAKE  its own end  +doorbell
        tells its application Attached
        SHMGO                                     →      tells its application Arrived
        a closed socket's messages are delivered  ←  SHMHAVE

The order matters: the connecting application can read that it has a far end before the far end
first looks at the ring, so a message sent in between is never left without a wake-up (pair "attach"
in shmzmq/pipe.py). SHMNO instead of SHMTAKE: the segment cannot be had there (another /dev/shm,
another user, another layout version).

A worker that dies takes its links with it, and not the pipes. Where the far application lives, the
link is taken up again over a new connection, by the pipe's token:

    connecting                                       accepting
        SHMLINK  token                            →      knows the pipe
                                                  ←  SHMLINKED, or SHMNO pid start of its own
                                                     application if it does not

So that the end of a stream can be told from a worker's death, whoever ends a link says SHMBYE.
"""

from __future__ import annotations

import json
import os
from typing import Final, NamedTuple

from ..shm.layout import VERSION
from ..shm.liveness import pid_namespace
from .commands import PeerEnd

PROPERTY: Final = "X-Shmzmq"
PIPE: Final = "SHMPIPE"
TAKE: Final = "SHMTAKE"
GO: Final = "SHMGO"
HAVE: Final = "SHMHAVE"
NO: Final = "SHMNO"
LINK: Final = "SHMLINK"
LINKED: Final = "SHMLINKED"
BYE: Final = "SHMBYE"


def offer() -> bytes:
    """Return our offer: layout version, user, which /dev/shm this is, and whose pids count here.

    By pids each side judges whether the other lives, and so does the sweep. Who does not share
    them is relayed to.
    """
    shared = os.stat("/dev/shm").st_dev
    return json.dumps([VERSION, os.getuid(), shared, pid_namespace()]).encode()


def is_accepted(theirs: bytes | None) -> bool:
    """Whether a peer that offered *theirs* (None: nothing) can share memory with us."""
    return theirs is not None and theirs == offer()


class Handover(NamedTuple):
    """The body of SHMPIPE and of SHMTAKE, where segment and token are empty."""

    end: PeerEnd
    segment: str = ""
    token: bytes = b""

    def encode(self) -> bytes:
        """Return the command body."""
        return json.dumps([list(self.end), self.segment, self.token.hex()]).encode()

    @classmethod
    def decode(cls, body: bytes) -> Handover:
        """Take a command body apart. Raises ValueError when it is not one."""
        try:
            end, segment, token = json.loads(body)
            peer = PeerEnd(*end)
            numbers = (peer.bit, peer.send_hwm, peer.receive_hwm, peer.pid, peer.start)
            if not isinstance(segment, str) or not isinstance(peer.board, str):
                raise TypeError("names must be text")
            if any(type(number) is not int or number < 0 for number in numbers) or not peer.pid:
                raise TypeError("bit, marks, pid and start must be numbers from 0 up, pid from 1")
            return cls(peer, segment, bytes.fromhex(token))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{body[:200]!r} is not a handover: {error}") from error
