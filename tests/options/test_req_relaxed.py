"""REQ_RELAXED and REQ_CORRELATE.

Relaxed: "sending another message is allowed [...] The request-reply state machine is reset and a
new request is sent to the next available peer." Correlated: "the full message is (request id, 0,
user frames...). The REQ socket will discard all incoming messages that don't begin with these two
frames."
"""

from typing import Any

import pytest
from support.library import ours_better, zmq
from support.links import Link, ipc_only

BOTH = {"req_relaxed": 1, "req_correlate": 1}


def test_strict_requests_take_turns_with_replies(link: Link) -> None:
    req, _ = link.pair(zmq.REQ, zmq.REP)
    req.send(b"first")
    with pytest.raises(zmq.ZMQError) as failure:
        req.send(b"second")
    assert failure.value.errno == zmq.EFSM


def test_a_request_carries_an_id_of_its_own(link: Link) -> None:
    router, req = link.pair(zmq.ROUTER, zmq.REQ, {}, {"req_correlate": 1, "routing_id": b"req"})
    ids = set()
    for number in range(3):
        req.send(b"request %d" % number)
        name, request_id, empty, body = router.recv_multipart()
        assert (name, empty, body) == (b"req", b"", b"request %d" % number)
        assert len(request_id) == 4
        ids.add(request_id)
        router.send_multipart([name, request_id, b"", b"reply %d" % number])
        assert req.recv() == b"reply %d" % number
    assert len(ids) == 3


@pytest.mark.parametrize(
    "wrong",
    [[b"", b"no id"], [b"\xff\xff\xff\xff", b"", b"not its id"], [b"no delimiter"], [b"id", b"x"]],
    ids=["no id", "another id", "no delimiter", "nothing right"],
)
def test_replies_without_the_id_are_discarded(link: Link, wrong: list[bytes]) -> None:
    endpoint = link.endpoint()
    # To a ROUTER all may be sent; an ipc connection of libzmq's REQ itself minds what it is sent.
    router = link.near(zmq.ROUTER, bind=endpoint)
    req = link.far(zmq.REQ, connect=endpoint, req_correlate=1)
    req.send(b"request")
    name, request_id, _, _ = router.recv_multipart()
    if link.kind == "inproc" or not link.has_libzmq:
        router.send_multipart([name, *wrong])
    router.send_multipart([name, request_id, b"", b"reply"])
    assert req.recv() == b"reply"


def test_a_rep_answers_with_the_id(link: Link) -> None:
    rep, req = link.pair(zmq.REP, zmq.REQ, {}, {"req_correlate": 1})
    for number in range(3):
        req.send(b"request %d" % number)
        assert rep.recv() == b"request %d" % number
        rep.send(b"reply %d" % number)
        assert req.recv() == b"reply %d" % number


def test_a_new_request_supersedes_the_last(link: Link) -> None:
    router, req = link.pair(zmq.ROUTER, zmq.REQ, {}, BOTH)
    req.send(b"given up")
    late = router.recv_multipart()
    req.send(b"request")
    name, request_id, _, body = router.recv_multipart()
    assert body == b"request"
    router.send_multipart([*late[:3], b"a late reply"])
    router.send_multipart([name, request_id, b"", b"the reply"])
    assert req.recv() == b"the reply"


def test_it_goes_to_the_next_peer(link: Link) -> None:
    endpoints = [link.endpoint(), link.endpoint()]
    reps = [link.far(zmq.REP, bind=endpoint) for endpoint in endpoints]
    req = link.near(zmq.REQ, connect=endpoints, **BOTH)
    req.send(b"first")
    req.send(b"second")
    asked = {rep.recv(): rep for rep in reps}
    assert set(asked) == {b"first", b"second"}
    asked[b"first"].send(b"too late")
    asked[b"second"].send(b"in time")
    assert req.recv() == b"in time"


@pytest.mark.parametrize("options", [BOTH, {"req_relaxed": 1}], ids=["both", "relaxed"])
def test_with_a_single_peer(link: Link, options: dict[str, Any]) -> None:
    rep, req = link.pair(zmq.REP, zmq.REQ, {"linger": 0}, options)
    req.send(b"0")
    assert rep.recv() == b"0"
    for number in range(1, 4):
        req.send(b"%d" % number)
    rep.send(b"late")
    while (request := rep.recv()) != b"3":
        rep.send(b"to " + request)
    rep.send(b"to 3")
    if options == BOTH or not (link.has_libzmq or link.kind == "inproc"):
        assert req.recv() == b"to 3"
    else:  # "a late reply to an aborted request can be reported as the reply"
        assert req.recv() in (b"late", b"to 1", b"to 2", b"to 3")


@ours_better("libzmq has left this out since 4.2")
@ipc_only
def test_relaxed_alone_ends_the_connection_that_a_late_reply_could_come_by(link: Link) -> None:
    router, req = link.pair(zmq.ROUTER, zmq.REQ, {"router_mandatory": 1}, {"req_relaxed": 1})
    req.send(b"given up")
    first, *_ = router.recv_multipart()
    sent = req.begin("send", b"request") if link.kind == "ipc-process" else None
    if sent is None:
        req.send(b"request")
    second, _, body = router.recv_multipart()
    if sent is not None:
        sent()
    assert body == b"request"
    assert second != first
    router.send_multipart([second, b"", b"reply"])
    assert req.recv() == b"reply"
