"""REQ and REP: strict turns, envelopes, the right reply (socket manual; RFC 28)."""

import pytest
from support.library import Socket, zmq
from support.links import Link, inproc_only


def _serve(rep: Socket, answer: bytes | None = None) -> bytes:
    """Receive one request and answer it, with the request itself if nothing else is given."""
    request: bytes = rep.recv()
    rep.send(request if answer is None else answer)
    return request


def test_round_trips(link: Link) -> None:
    rep, req = link.pair(zmq.REP, zmq.REQ)
    for number in range(100):
        req.send(b"question %d" % number)
        assert rep.recv() == b"question %d" % number
        rep.send(b"answer %d" % number)
        assert req.recv() == b"answer %d" % number


def test_several_parts_each_way(link: Link) -> None:
    rep, req = link.pair(zmq.REP, zmq.REQ)
    req.send_multipart([b"a", b"", b"b"])
    assert rep.recv_multipart() == [b"a", b"", b"b"]
    rep.send_multipart([b"", b"c"])
    assert req.recv_multipart() == [b"", b"c"]


def test_the_client_may_bind(link: Link) -> None:
    req, rep = link.pair(zmq.REQ, zmq.REP)
    req.send(b"question")
    assert _serve(rep) == b"question"
    assert req.recv() == b"question"


def test_turns_are_strict(link: Link) -> None:
    rep, req = link.pair(zmq.REP, zmq.REQ)

    def refused(call: str, socket: Socket, *args: object) -> None:
        with pytest.raises(zmq.ZMQError) as caught:
            getattr(socket, call)(*args)
        assert caught.value.errno == zmq.EFSM

    refused("recv", req)
    refused("send", rep, b"nothing to answer")
    req.send(b"question")
    refused("send", req, b"another")
    assert rep.recv() == b"question"
    refused("recv", rep)
    rep.send(b"answer")
    refused("send", rep, b"another")
    assert req.recv() == b"answer"
    refused("recv", req)
    # A refusal changes nothing.
    req.send(b"again")
    assert _serve(rep) == b"again"
    assert req.recv() == b"again"


def test_a_message_is_finished_before_the_turn_changes(link: Link) -> None:
    rep, req = link.pair(zmq.REP, zmq.REQ)
    req.send(b"first", zmq.SNDMORE)
    with pytest.raises(zmq.ZMQError) as caught:
        req.recv()
    assert caught.value.errno == zmq.EFSM
    req.send(b"second")
    assert rep.recv() == b"first"
    with pytest.raises(zmq.ZMQError) as caught:
        rep.send(b"too early")
    assert caught.value.errno == zmq.EFSM
    assert rep.recv() == b"second"
    rep.send(b"answer")
    assert req.recv() == b"answer"


def test_events_follow_the_turns(link: Link) -> None:
    rep, req = link.pair(zmq.REP, zmq.REQ)
    both = zmq.POLLIN | zmq.POLLOUT
    assert req.poll(None, zmq.POLLOUT) == zmq.POLLOUT
    assert rep.poll(0, both) == 0
    req.send(b"question")
    assert rep.poll(None, both) == zmq.POLLIN
    assert req.poll(0, both) == 0
    rep.recv()
    assert rep.poll(0, both) == zmq.POLLOUT
    rep.send(b"answer")
    assert req.poll(None, both) == zmq.POLLIN
    assert rep.poll(0, both) == 0


def test_a_timed_out_reply_may_be_waited_for_again(link: Link) -> None:
    rep, req = link.pair(zmq.REP, zmq.REQ)
    req.send(b"question")
    with pytest.raises(zmq.Again):
        req.recv(zmq.NOBLOCK)
    with pytest.raises(zmq.ZMQError) as caught:
        req.send(b"another")
    assert caught.value.errno == zmq.EFSM
    assert _serve(rep) == b"question"
    assert req.recv() == b"question"


def test_without_a_peer_sending_would_block(link: Link) -> None:
    endpoint = link.endpoint()
    req = link.near(zmq.REQ, bind=endpoint)
    with pytest.raises(zmq.Again):
        req.send(b"nobody", zmq.NOBLOCK)
    rep = link.far(zmq.REP, connect=endpoint)
    req.send(b"somebody")
    assert _serve(rep) == b"somebody"


def test_requests_go_round(link: Link) -> None:
    endpoints = [link.endpoint() for _ in range(3)]
    reps = [link.far(zmq.REP, bind=endpoint) for endpoint in endpoints]
    req = link.near(zmq.REQ, connect=endpoints)
    for number in range(9):
        req.send(b"%d" % number)
        assert _serve(reps[number % 3]) == b"%d" % number
        assert req.recv() == b"%d" % number


def test_each_client_gets_its_own_answer(link: Link) -> None:
    endpoint = link.endpoint()
    rep = link.near(zmq.REP, bind=endpoint)
    reqs = [link.far(zmq.REQ, connect=endpoint) for _ in range(20)]
    for number, req in enumerate(reqs):
        req.send(b"%d" % number)
    assert {_serve(rep) for _ in reqs} == {b"%d" % number for number in range(20)}
    assert [req.recv() for req in reqs] == [b"%d" % number for number in range(20)]


def test_a_client_that_left_does_not_hold_up_the_server(link: Link) -> None:
    endpoint = link.endpoint()
    rep = link.near(zmq.REP, bind=endpoint)
    gone = link.far(zmq.REQ, connect=endpoint)
    gone.send(b"question")
    assert rep.recv() == b"question"
    gone.close()
    rep.send(b"to nobody")
    req = link.far(zmq.REQ, connect=endpoint)
    req.send(b"next")
    assert _serve(rep) == b"next"
    assert req.recv() == b"next"


def test_the_envelope_of_a_request(link: Link) -> None:
    router, req = link.pair(zmq.ROUTER, zmq.REQ, far={"identity": b"me"})
    req.send_multipart([b"question", b"more"])
    assert router.recv_multipart() == [b"me", b"", b"question", b"more"]
    router.send_multipart([b"me", b"", b"answer"])
    assert req.recv_multipart() == [b"answer"]


def test_rep_returns_the_whole_envelope(link: Link) -> None:
    rep, dealer = link.pair(zmq.REP, zmq.DEALER)
    # Two addresses on the way, the empty delimiter, and a body that has an empty part too.
    dealer.send_multipart([b"hop 1", b"hop 2", b"", b"body", b"", b"end"])
    assert rep.recv_multipart() == [b"body", b"", b"end"]
    rep.send_multipart([b"answer", b""])
    assert dealer.recv_multipart() == [b"hop 1", b"hop 2", b"", b"answer", b""]


def test_rep_drops_a_request_without_a_delimiter(link: Link) -> None:
    rep, dealer = link.pair(zmq.REP, zmq.DEALER)
    for malformed in ([b"body"], [b"hop", b"body"]):
        dealer.send_multipart(malformed)
    dealer.send_multipart([b"", b"good"])
    assert _serve(rep) == b"good"
    assert dealer.recv_multipart() == [b"", b"good"]


# Over ipc such a reply is a violation of the protocol, which may end the connection.
@inproc_only
def test_req_drops_a_reply_without_a_delimiter(link: Link) -> None:
    router, req = link.pair(zmq.ROUTER, zmq.REQ, far={"identity": b"me"})
    req.send(b"question")
    assert router.recv_multipart() == [b"me", b"", b"question"]
    router.send_multipart([b"me", b"malformed"])
    router.send_multipart([b"me", b"malformed", b"too"])
    router.send_multipart([b"me", b"", b"answer"])
    assert req.recv_multipart() == [b"answer"]


def _two_servers(link: Link) -> tuple[Socket, Socket, Socket]:
    """Return two ROUTERs and a REQ named "me" that both know; the first is next to be asked."""
    endpoints = [link.endpoint(), link.endpoint()]
    first, second = (link.far(zmq.ROUTER, bind=endpoint) for endpoint in endpoints)
    req = link.near(zmq.REQ, connect=endpoints, identity=b"me")
    for router in (first, second):
        req.send(b"hello")
        router.send_multipart(router.recv_multipart())
        assert req.recv() == b"hello"
    return first, second, req


def test_req_listens_only_to_whom_it_asked(link: Link) -> None:
    asked, other, req = _two_servers(link)
    other.send_multipart([b"me", b"", b"unasked"])
    req.send(b"question")
    assert asked.recv_multipart() == [b"me", b"", b"question"]
    other.send_multipart([b"me", b"", b"unasked too"])
    asked.send_multipart([b"me", b"", b"answer"])
    assert req.recv_multipart() == [b"answer"]


def test_an_old_reply_does_not_answer_a_new_request(link: Link) -> None:
    if link.takes_time:
        pytest.skip("nothing says when what was sent has arrived")
    first, second, req = _two_servers(link)
    req.send(b"one")
    first.recv_multipart()
    second.send_multipart([b"me", b"", b"unasked"])
    first.send_multipart([b"me", b"", b"answer one"])
    assert req.recv() == b"answer one"
    # The next request goes to the second peer, whose unasked reply lies there already.
    req.send(b"two")
    second.recv_multipart()
    second.send_multipart([b"me", b"", b"answer two"])
    assert req.recv() == b"answer two"
