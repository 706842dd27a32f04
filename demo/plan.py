"""What all processes of the demo agree on: where they meet, and the kinds of message."""

import importlib
from dataclasses import dataclass
from typing import Any

# worker or ventilator -> sink: [READY]. It has bound its endpoint.
READY = b"ready"
# sink -> ventilator: [START]. All workers are ready, and the clock runs.
START = b"start"
# ventilator -> worker: [FILE, path, contents].
FILE = b"file"
# worker -> sink: [DIGEST, path, digest, size, number].
DIGEST = b"digest"
# sink -> worker: [END]. All digests have arrived.
END = b"end"


@dataclass(frozen=True)
class Plan:
    """Handed to every process when it starts."""

    module: str  # shmzmq, or another with pyzmq's API
    directory: str  # of the ipc endpoints
    root: str  # of the files
    workers: int

    @property
    def zmq(self) -> Any:
        """Import and return the library."""
        return importlib.import_module(self.module)

    @property
    def sink(self) -> str:
        """Return the endpoint that the sink binds."""
        return f"ipc://{self.directory}/sink"

    @property
    def ventilator(self) -> str:
        """Return the endpoint that the ventilator binds."""
        return f"ipc://{self.directory}/ventilator"

    def worker(self, number: int) -> str:
        """Return the endpoint that a worker binds."""
        return f"ipc://{self.directory}/worker-{number}"
