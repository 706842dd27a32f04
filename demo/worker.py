"""A process that hashes files."""

from hashlib import sha256

from demo.plan import DIGEST, END, READY, Plan


def work(plan: Plan, number: int) -> int:
    """Hash files until the sink says that it has all digests; return how many."""
    me = str(number).encode()
    done = 0
    with (
        plan.zmq.Context() as context,
        context.socket(plan.zmq.PULL) as inbox,
        context.socket(plan.zmq.PUSH) as to_sink,
    ):
        inbox.bind(plan.worker(number))
        to_sink.connect(plan.sink)
        to_sink.send_multipart([READY])
        while (message := inbox.recv_multipart()) != [END]:
            _, path, contents = message
            digest = sha256(contents).digest()
            to_sink.send_multipart([DIGEST, path, digest, str(len(contents)).encode(), me])
            done += 1
    return done
