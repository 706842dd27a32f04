"""A process that waits uses no CPU, and neither does its worker."""

import pytest
from support.channel import ChildProcess

# Less than a tick of the clock that CPU time is usually counted in.
_AT_MOST_NS = 10_000_000


@pytest.mark.parametrize("how", ["recv", "poll", "send", "send_to_nobody", "recv_while_dialling"])
def test_waiting_costs_nothing(how: str) -> None:
    with ChildProcess("crash.idlers", how) as child:
        lasted, application, worker = child.channel.hear()
        assert child.wait() == 0
    assert lasted >= 1_000_000_000
    assert application < _AT_MOST_NS
    assert worker < _AT_MOST_NS
