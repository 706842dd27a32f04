"""The worker's end of relayed pipes."""

import pytest
from support.pipe_ends import Held, sender_and_receiver
from support.pipes import own_names

from shmzmq.workers.exchange import Exchange
from shmzmq.workers.reactor import Reactor


@pytest.mark.parametrize("first", ["reader", "writer"])
def test_should_leave_no_name_of_an_area_when_a_worker_writes_to_who_leaves(
    held: Held, first: str
) -> None:
    near, _, pipe, there = sender_and_receiver(held, private=False)
    exchange = Exchange(Reactor())
    assert exchange.reserve() == pipe.bit  # it shall think that the pipe is its own
    for _ in range(3):
        near.send(b"x" * 60_000)
    if first == "reader":
        there.let_go()
    # In an area that a reader who has left does not come to: a socket sends nothing there any more
    pipe.outbound.push(b"x" * 300_000)
    pipe.outbound.commit()
    areas = {area.name for area in pipe.outbound.all_areas()}
    assert areas & own_names()
    exchange.let_go(pipe)
    if first == "writer":
        assert areas & own_names()  # it may still read what was written
        there.let_go()
    assert not areas & own_names()
    exchange.close()
