"""fork: the parent's sockets are not the child's, and the child may have its own."""

from support.children import Child
from support.library import ours_better

ATTEMPTS = ["send", "recv", "poll", "poller", "bind", "connect", "getsockopt", "socket"]


@ours_better("a forked child that touches its parent's context is told so; in libzmq it may hang")
def test_a_child_that_touches_its_parents_socket_is_told_so() -> None:
    with Child("fork_touches") as child:
        child.expect("before", *(f"{attempt} True" for attempt in ATTEMPTS), "0", "after")
        assert child.wait() == 0


def test_a_child_may_make_its_own_context() -> None:
    with Child("fork_talks") as child:
        child.expect("own", "child has ended its context", "0")
        assert child.wait() == 0


def test_a_child_has_its_own_instance() -> None:
    with Child("fork_instance") as child:
        child.expect("child has its own", "0")
        assert child.wait() == 0


def test_a_child_that_just_exits_harms_nobody() -> None:
    with Child("fork_exits") as child:
        child.expect("before", "0", "after", "ended")
        assert child.wait() == 0
