"""The process that hands out the files."""

import os
from pathlib import Path

from demo.corpus import source_files
from demo.plan import FILE, READY, START, Plan


def ventilate(plan: Plan) -> None:
    """Send every file to one of the workers: the next in turn that has room.

    Blocks: until the sink says that it is time; then while all workers have as many files waiting
    as the high water mark allows.
    """
    root = Path(plan.root)
    names = source_files(root)
    with (
        plan.zmq.Context() as context,
        context.socket(plan.zmq.PUSH) as files,
        context.socket(plan.zmq.PUSH) as to_sink,
        context.socket(plan.zmq.PULL) as inbox,
    ):
        inbox.bind(plan.ventilator)
        for number in range(plan.workers):
            files.connect(plan.worker(number))
        to_sink.connect(plan.sink)
        to_sink.send_multipart([READY])
        if (message := inbox.recv_multipart()) != [START]:
            raise ValueError(f"the ventilator expected {START!r} and received {message!r}")
        for name in names:
            files.send_multipart([FILE, os.fsencode(name), (root / name).read_bytes()])
