"""A child of multiprocessing's fork method that touches its parent's sockets harms nobody."""

import errno

from support.channel import ChildProcess


def test_a_forked_process_is_told_and_its_parent_goes_on() -> None:
    with ChildProcess("crash.applications", "multiprocesses") as application:
        for _ in range(2):
            for refusal in application.channel.hear():
                number, _, text = refusal.partition(" ")
                assert int(number) in (errno.ENOTSOCK, errno.EFAULT)
                assert "fork" in text
        # The parent has used its sockets, old connections and new, and ended in the ordinary way.
        assert application.channel.hear() == []
        assert application.wait() == 0
