"""A doorbell: an eventfd that wakes one sleeping socket.

Its socket waits on it; each peer process holds a descriptor of the same eventfd, handed over with
SCM_RIGHTS. Ringing never blocks and rings add up, so it does not matter how often or by whom it is
rung. All who use it in one process share one Doorbell, so that a descriptor is never written to
once it is closed.
"""

import os

import cython
from cython.cimports.posix.unistd import close, read, write

if not cython.compiled:
    raise ImportError("shmzmq is not built: its core is compiled; run 'make' or 'pip install .'")


@cython.cclass
class Doorbell:
    """An eventfd. Adopts *fd*, or makes a new one when it is -1.

    Threads: any. Raises OSError (EMFILE) when the process has no descriptor left.
    """

    def __cinit__(self, fd: cython.int = -1):
        self.fd = -1  # __dealloc__ runs also when no descriptor can be made
        self.fd = fd if fd >= 0 else os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def __dealloc__(self):
        if self.fd >= 0:
            close(self.fd)

    def close(self):
        """Close the descriptor now; ringing and waiting come to nothing from here on."""
        fd: cython.int = self.fd
        self.fd = -1
        if fd >= 0:
            close(fd)

    def fileno(self):
        """Return the descriptor, for poll and select."""
        return self.fd

    def ring(self):
        one: cython.ulonglong = 1
        # A full counter (EAGAIN) is as good as rung; there is nobody to tell of any other failure.
        if write(self.fd, cython.address(one), 8) < 0:
            pass

    def drain(self):
        count: cython.ulonglong = 0
        if read(self.fd, cython.address(count), 8) < 0:
            pass  # EAGAIN: nobody has rung
