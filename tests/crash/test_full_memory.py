"""A /dev/shm that is nearly full: what is sent waits, goes through smaller memory, or says so."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.children import python_environment
from support.waiting import PATIENCE_S

UNSHARE = ["unshare", "--mount", "--kill-child", "--fork", "sh", "-c"]
MOUNT = "mount -t tmpfs -o size=2m tmpfs /dev/shm"

FAR = """
import hashlib, sys
import shmzmq as zmq

with zmq.Context() as context, context.socket(zmq.PULL) as pull:
    pull.rcvtimeo = 20_000
    pull.connect(sys.argv[1])
    digest, count = hashlib.sha256(), 0
    while (message := pull.recv()) != b"end":
        digest.update(message)
        count += 1
print(count, digest.hexdigest())
"""

NEAR = """
import hashlib, os, subprocess, sys, time
import shmzmq as zmq

far, endpoint = sys.argv[1:]


def patiently(call, *arguments):
    late = time.monotonic() + 20
    while True:
        try:
            return call(*arguments)
        except zmq.ZMQError as error:
            # The reader may not have come to return what it took: nothing is lost by that.
            if error.errno != zmq.ENOBUFS or time.monotonic() > late:
                raise
        os.sched_yield()


digest, count = hashlib.sha256(), 0
with zmq.Context() as context, context.socket(zmq.PUSH) as push:
    push.sndtimeo = 20_000
    push.bind(endpoint)
    child = subprocess.Popen([sys.executable, "-c", far, endpoint], stdout=subprocess.PIPE)
    # Of ever other sizes, so that each wants a block of its own while older ones lie idle.
    messages = [os.urandom(40_000 + 1_000 * number) for number in range(250)]
    for message in messages[:200]:
        patiently(push.send, message)
    loan = push.loan(400_000)
    memoryview(loan)[:] = messages[-1][:1] * 400_000
    patiently(push.send, loan)
    messages[200:] = [bytes(loan), *messages[200:]]
    del loan
    sent = 201
    while sent < len(messages):
        sent += patiently(push.send_many, messages[sent:])
    try:
        push.send(bytes(3_000_000))
    except zmq.ZMQError as error:
        assert error.errno == zmq.ENOBUFS, error
    else:
        raise SystemExit("3 MB went through 2 MB")
    patiently(push.send, b"end")
    for message in messages:
        digest.update(message)
    told = child.communicate(timeout=30)[0].decode().split()
assert told == [str(len(messages)), digest.hexdigest()], told
assert os.listdir("/dev/shm") == [], os.listdir("/dev/shm")
"""


def can_mount() -> bool:
    """Whether we may have a /dev/shm of our own here."""
    return subprocess.run([*UNSHARE, MOUNT], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="needs the right to make a mount namespace")
def test_nothing_is_lost_where_shared_memory_is_full(tmp_path: Path, nothing_left: None) -> None:
    script = f'{MOUNT} && exec "$@"'
    command = [*UNSHARE, script, "sh", sys.executable, "-c", NEAR, FAR, f"ipc://{tmp_path}/s"]
    ended = subprocess.run(
        command,
        env=python_environment(),
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
