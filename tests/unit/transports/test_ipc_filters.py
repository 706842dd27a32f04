"""Who is let in to an ipc endpoint, and what a peer's address looks like."""

import os
import socket
from typing import Any

import pytest
from shmzmq.transports.ipc import IpcTransport

ME, MY_GROUP, THIS = os.getuid(), os.getgid(), os.getpid()


def open_peer(accepted: bool, **options: Any) -> str:
    """Return the address of a peer, which is this process."""
    near, far = socket.socketpair()
    with near, far:
        return IpcTransport().opened(near, options, accepted=accepted)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"IPC_FILTER_UID": (ME,)},
        {"IPC_FILTER_UID": (ME + 1, ME)},
        {"IPC_FILTER_GID": (MY_GROUP,)},
        {"IPC_FILTER_PID": (THIS,)},
        {"IPC_FILTER_UID": (ME + 1,), "IPC_FILTER_PID": (THIS,)},
    ],
)
def test_let_in(options: dict[str, tuple[int, ...]]) -> None:
    assert open_peer(accepted=True, **options) == f"localhost:{ME}:{MY_GROUP}:{THIS}"


@pytest.mark.parametrize(
    "options",
    [
        {"IPC_FILTER_UID": (ME + 1,)},
        {"IPC_FILTER_GID": (2**32 - 1,)},
        {"IPC_FILTER_PID": (THIS + 1,)},
        {"IPC_FILTER_UID": (ME + 1,), "IPC_FILTER_PID": (THIS + 1,)},
    ],
)
def test_kept_out(options: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(PermissionError, match=f"process {THIS} of user {ME}"):
        open_peer(accepted=True, **options)
    assert open_peer(accepted=False, **options)  # filters are for those who come


def test_members_of_a_group_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getgrouplist", lambda name, group: [group, 4711])
    assert open_peer(accepted=True, IPC_FILTER_GID=(4711,))
    with pytest.raises(PermissionError):
        open_peer(accepted=True, IPC_FILTER_GID=(4712,))
