"""A transport from another package: the one in docs/architecture.md, installed as it says there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[2] / "docs" / "architecture.md"

PROGRAM = """
import os
import shmzmq as zmq

endpoint = f"abstract://shmzmq-plugin-test-{os.getpid()}"
with zmq.Context() as context, context.socket(zmq.PULL) as pull, context.socket(zmq.PUSH) as push:
    push.linger = 0
    pull.rcvtimeo = 20_000
    push.connect(endpoint)
    pull.bind(endpoint)
    assert pull.last_endpoint == endpoint.encode()
    push.send(b"by a plugin")
    print(pull.recv().decode())
"""


def documented(language: str, word: str) -> str:
    """Return the block of this language in the document in which the word stands."""
    blocks = re.findall(
        rf"^```{language}\n(.*?)^```", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE
    )
    (block,) = (block for block in blocks if word in block)
    return block


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A directory with the plugin's module and the metadata of its distribution."""
    (tmp_path / "abstract_transport.py").write_text(documented("python", "class AbstractTransport"))
    points = (
        documented("toml", "abstract =").replace("[project.entry-points.", "[").replace('"', "")
    )
    metadata = tmp_path / "abstract_transport-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: abstract-transport\nVersion: 1\n"
    )
    (metadata / "entry_points.txt").write_text(points)
    return tmp_path


def test_messages_go_over_a_transport_from_outside(
    plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(plugin), prepend=":")
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=50, check=False
    )
    assert (ran.stdout, ran.stderr) == ("by a plugin\n", "")
