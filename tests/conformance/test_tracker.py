"""MessageTracker: when a message that was sent with copy=False and track=True has been taken."""

import gc

import pytest
from support.exchange import bind_when_free, settle
from support.factory import SocketFactory
from support.library import ours_better, zmq
from support.links import Link, ipc_only, local_only
from support.waiting import wait_for


def test_a_small_message_is_done_at_once(link: Link) -> None:
    push = link.near(zmq.PUSH, bind=link.endpoint())
    push.connect(link.endpoint())
    assert push.copy_threshold == zmq.COPY_THRESHOLD
    assert push.send(b"small", copy=False, track=True).done


def test_without_a_receiver_it_is_not_done(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, connect=endpoint)
    push.copy_threshold = 0
    tracker = push.send(b"first", copy=False, track=True)
    assert not tracker.done
    with pytest.raises(zmq.NotDone):
        tracker.wait(0.01)
    pull = link.far(zmq.PULL, bind=endpoint)
    assert pull.recv() == b"first"
    tracker.wait(10)
    assert tracker.done


@pytest.mark.parametrize("size", [10, 100_000])
def test_it_is_done_when_the_message_is_received(link: Link, size: int) -> None:
    push, pull = link.pair(zmq.PUSH, zmq.PULL)
    push.copy_threshold = 0
    trackers = [push.send(b"x" * size, copy=False, track=True) for _ in range(20)]
    for tracker in trackers:
        assert len(pull.recv()) == size
        tracker.wait(10)


def test_parts_are_done_with_the_message(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, connect=endpoint)
    push.copy_threshold = 0
    first = push.send(b"first", zmq.SNDMORE, copy=False, track=True)
    last = push.send_multipart([b"second", b"last"], copy=False, track=True)
    assert not first.done
    assert not last.done
    pull = link.far(zmq.PULL, bind=endpoint)
    assert pull.recv_multipart() == [b"first", b"second", b"last"]
    for tracker in (first, last):
        tracker.wait(10)


@local_only
def test_every_subscriber_has_to_have_it(link: Link) -> None:
    endpoint = link.endpoint()
    publisher = link.near(zmq.PUB, bind=endpoint)
    subscribers = [link.far(zmq.SUB, connect=endpoint, subscribe=b"x") for _ in range(2)]
    settle(publisher, subscribers)
    publisher.copy_threshold = 0
    # With libzmq bytes that are shared this way are let go when they were received everywhere.
    tracker = publisher.send(b"x" * 100, copy=False, track=True)
    for subscriber in subscribers:
        assert subscriber.recv() == b"x" * 100
    tracker.wait(10)


def test_a_frame_is_done_when_it_is_gone_too(link: Link) -> None:
    push, pull = link.pair(zmq.PUSH, zmq.PULL)
    frame = zmq.Frame(b"frame", copy=False, track=True)
    tracker = push.send(frame)
    assert pull.recv() == b"frame"
    assert not tracker.done
    del frame
    gc.collect()
    wait_for(lambda: tracker.done, "the frame is let go")


def test_a_frame_that_is_not_tracked_cannot_be(link: Link) -> None:
    push, pull = link.pair(zmq.PUSH, zmq.PULL)
    with pytest.raises(ValueError, match=r"(?i)not a tracked message"):
        push.send(zmq.Frame(b"frame"), copy=False, track=True)
    push.send(b"next")
    assert pull.recv() == b"next"


def test_a_small_frame_is_a_copy() -> None:
    data = bytearray(b"before")
    frame = zmq.Frame(data, track=True)
    data[:] = b"after!"
    assert bytes(frame) == b"before"
    assert frame.tracker.done


@pytest.mark.parametrize("copy_threshold", [0, 5])
def test_a_frame_above_the_threshold_is_not(copy_threshold: int) -> None:
    data = bytearray(b"before")
    frame = zmq.Frame(data, track=True, copy_threshold=copy_threshold)
    data[:] = b"after!"
    assert bytes(frame) == b"after!"
    assert not frame.tracker.done


@ipc_only
def test_what_was_not_sent_is_given_up_with_the_socket(link: Link) -> None:
    push = link.near(zmq.PUSH, connect=link.endpoint())
    push.copy_threshold = 0
    tracker = push.send(b"nobody comes", copy=False, track=True)
    assert not tracker.done
    push.close(linger=0)
    wait_for(lambda: tracker.done, "the socket is closed")


def test_the_threshold_may_be_given_to_the_socket(sockets: SocketFactory) -> None:
    with sockets.context.socket(zmq.PUSH, copy_threshold=3) as push:
        assert push.copy_threshold == 3


@ours_better("libzmq loses what a peer had not read when it went")
@local_only
def test_a_message_that_goes_to_the_next_receiver_is_done_there(link: Link) -> None:
    if link.kind == "inproc":
        pytest.skip("inproc connections do not come back")
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, connect=endpoint)
    push.copy_threshold = 0
    lost = link.far(zmq.PULL, bind=endpoint)
    trackers = [push.send(b"%d" % number, copy=False, track=True) for number in range(3)]
    assert lost.recv() == b"0"
    trackers[0].wait(10)
    lost.close()
    pull = link.far(zmq.PULL)
    bind_when_free(pull, endpoint)
    assert not trackers[1].done
    assert [pull.recv(), pull.recv()] == [b"1", b"2"]
    for tracker in trackers[1:]:
        tracker.wait(10)
