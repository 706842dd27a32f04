"""ZMTP, the ZeroMQ message transport protocol, without I/O: bytes in, events and bytes out.

Nothing here opens a socket, reads a clock, starts a thread or touches shared memory. The way in is
`connection.Connection`; the caller feeds what it read, drains events, sends what there is, and sets
one timer.

Sources: RFC 37/ZMTP 3.1, 23/ZMTP 3.0, 15/ZMTP 2.0, 13/ZMTP 1.0, and libzmq's behaviour where they
leave room.

Imports go one way: errors, record, states <- events <- frames, commands, metadata <- greeting,
heartbeat, mechanisms <- connection. An I/O worker starts with this package, so it stays clear of
modules that are slow to import (typing, dataclasses, re, ...).
"""
