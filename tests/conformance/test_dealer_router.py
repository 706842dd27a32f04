"""DEALER and ROUTER: load balancing out, routing ids in front (socket manual; RFC 28)."""

import itertools

import pytest
from support.exchange import receive_until
from support.factory import SocketFactory
from support.library import zmq
from support.links import Link, local_only
from support.waiting import wait_for


def test_dealers_talk_freely(link: Link) -> None:
    near, far = link.pair(zmq.DEALER, zmq.DEALER)
    for socket, other in ((near, far), (far, near)):
        socket.send(b"one")
        socket.send_multipart([b"two", b"", b"parts"])
        assert other.recv() == b"one"
        assert other.recv_multipart() == [b"two", b"", b"parts"]


def test_dealer_hands_out_in_turn(link: Link) -> None:
    endpoints = [link.endpoint() for _ in range(3)]
    dealers = [link.far(zmq.DEALER, bind=endpoint) for endpoint in endpoints]
    near = link.near(zmq.DEALER, connect=endpoints)
    for number in range(30):
        near.send(b"%d" % number)
    for turn, dealer in enumerate(dealers):
        assert [int(dealer.recv()) for _ in range(10)] == list(range(turn, 30, 3))


def test_dealer_collects_in_turn(link: Link) -> None:
    if link.takes_time:
        pytest.skip("nothing says when what was sent has arrived")
    endpoint = link.endpoint()
    near = link.near(zmq.DEALER, bind=endpoint)
    dealers = [link.far(zmq.DEALER, connect=endpoint) for _ in range(3)]
    for dealer in dealers:
        dealer.send(b"hello")
    assert [near.recv() for _ in dealers] == [b"hello"] * 3
    for name, dealer in zip((b"a", b"b", b"c"), dealers, strict=True):
        for _ in range(10):
            dealer.send(name)
    received = [near.recv() for _ in range(30)]
    turns = [sorted(received[start : start + 3]) for start in range(0, 30, 3)]
    assert turns == [[b"a", b"b", b"c"]] * 10


def test_dealer_sends_nothing_to_one_who_has_gone(link: Link) -> None:
    """Though what that one sent is still to be received."""
    near, first = link.pair(zmq.DEALER, zmq.DEALER)
    first.send(b"unread")
    assert near.poll()
    second = link.far(zmq.DEALER, connect=near.last_endpoint.decode())
    first.close()
    serial = itertools.count()

    def all_arrive() -> bool:
        numbers = [b"%d" % number for number in itertools.islice(serial, 4)]
        for number in numbers:
            near.send(number)
        heard = []
        while second.poll(50) and len(heard) < len(numbers):
            heard.append(second.recv())
        return heard == numbers

    wait_for(all_arrive, "the second gets everything")
    assert near.recv() == b"unread"


def test_router_sends_nothing_to_one_who_has_gone(link: Link) -> None:
    """Though what that one sent is still to be received."""
    router, dealer = link.pair(
        zmq.ROUTER, zmq.DEALER, {"router_mandatory": 1}, {"identity": b"leaves"}
    )
    dealer.send(b"unread")
    assert router.poll()
    dealer.close()

    def is_unknown() -> bool:
        try:
            router.send_multipart([b"leaves", b"for nobody"])
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            return True
        return False

    wait_for(is_unknown, "the router knows that it has gone")
    assert router.recv_multipart() == [b"leaves", b"unread"]


def test_dealer_without_a_peer_would_block(sockets: SocketFactory) -> None:
    dealer = sockets.open(zmq.DEALER)
    with pytest.raises(zmq.Again):
        dealer.send(b"nobody", zmq.NOBLOCK)
    assert not dealer.poll(0, zmq.POLLOUT)


def test_router_puts_the_sender_in_front(link: Link) -> None:
    router, dealer = link.pair(zmq.ROUTER, zmq.DEALER, far={"identity": b"me"})
    dealer.send_multipart([b"one", b"", b"two"])
    assert router.recv_multipart() == [b"me", b"one", b"", b"two"]
    router.send_multipart([b"me", b"", b"back"])
    assert dealer.recv_multipart() == [b"", b"back"]


def test_router_makes_up_a_name_for_the_nameless(link: Link) -> None:
    endpoint = link.endpoint()
    router = link.near(zmq.ROUTER, bind=endpoint)
    dealers = [link.far(zmq.DEALER, connect=endpoint) for _ in range(10)]
    names = {}
    for number, dealer in enumerate(dealers):
        dealer.send(b"%d" % number)
    for _ in dealers:
        name, body = router.recv_multipart()
        assert len(name) == 5
        assert name[0] == 0
        names[body] = name
    assert len(set(names.values())) == 10
    for body, name in names.items():
        router.send_multipart([name, b"for " + body])
    assert [dealer.recv() for dealer in dealers] == [b"for %d" % number for number in range(10)]
    # The name stays for as long as the connection does.
    dealers[0].send(b"again")
    assert router.recv_multipart() == [names[b"0"], b"again"]


@pytest.mark.parametrize("name", [b"x", b"\0\1", bytes(range(255))], ids=len)
def test_names_are_any_bytes(link: Link, name: bytes) -> None:
    router, dealer = link.pair(zmq.ROUTER, zmq.DEALER, far={"routing_id": name})
    assert dealer.getsockopt(zmq.IDENTITY) == name
    dealer.send(b"hello")
    assert router.recv_multipart() == [name, b"hello"]
    router.send_multipart([name, b"back"])
    assert dealer.recv() == b"back"


def test_router_drops_what_it_cannot_route(link: Link) -> None:
    router, dealer = link.pair(zmq.ROUTER, zmq.DEALER, far={"identity": b"known"})
    dealer.send(b"hello")
    assert router.recv_multipart() == [b"known", b"hello"]
    router.send_multipart([b"unknown", b"lost", b"entirely"])
    router.send_multipart([b"", b"lost"])
    router.send(b"known")  # a name and nothing to send
    router.send_multipart([b"known", b"found"])
    assert dealer.recv_multipart() == [b"found"]


def test_router_drops_what_is_for_a_peer_that_left(link: Link) -> None:
    endpoint = link.endpoint()
    router = link.near(zmq.ROUTER, bind=endpoint)
    stays = link.far(zmq.DEALER, connect=endpoint, identity=b"stays")
    leaves = link.far(zmq.DEALER, connect=endpoint, identity=b"leaves")
    for dealer in (stays, leaves):
        dealer.send(b"hello")
    assert {router.recv_multipart()[0] for _ in range(2)} == {b"stays", b"leaves"}
    leaves.close()
    for _ in range(2000):
        router.send_multipart([b"leaves", b"lost"])
    router.send_multipart([b"stays", b"found"])
    assert stays.recv() == b"found"


@pytest.mark.parametrize("router_binds", [True, False])
def test_router_alone_drops(link: Link, router_binds: bool) -> None:
    router = link.near(zmq.ROUTER, bind=link.endpoint() if router_binds else ())
    router.send_multipart([b"anyone", b"hello"], zmq.NOBLOCK)
    with pytest.raises(zmq.Again):
        router.recv(zmq.NOBLOCK)


def test_router_may_connect(link: Link) -> None:
    dealer, router = link.pair(zmq.DEALER, zmq.ROUTER, near={"identity": b"server"})
    dealer.send(b"hello")
    assert router.recv_multipart() == [b"server", b"hello"]
    router.send_multipart([b"server", b"back"])
    assert dealer.recv() == b"back"


def test_routers_talk_by_name(link: Link) -> None:
    near, far = link.pair(
        zmq.ROUTER, zmq.ROUTER, near={"identity": b"near"}, far={"identity": b"far"}
    )

    def reached() -> bool:
        # Each knows the other only when they have shaken hands; before that it drops.
        far.send_multipart([b"near", b"hello"])
        return bool(near.poll(10))

    wait_for(reached, "the routers know each other")
    far.send_multipart([b"near", b"question"])
    while near.recv_multipart() != [b"far", b"question"]:
        pass
    near.send_multipart([b"far", b"answer"])
    assert far.recv_multipart() == [b"near", b"answer"]


@local_only
def test_a_name_belongs_to_who_took_it_first(link: Link) -> None:
    endpoint = link.endpoint()
    router = link.near(zmq.ROUTER, bind=endpoint)
    first = link.far(zmq.DEALER, connect=endpoint, identity=b"name")
    first.send(b"first")
    assert router.recv_multipart() == [b"name", b"first"]
    second = link.far(zmq.DEALER, connect=endpoint, identity=b"name")
    second.send(b"intruder")
    for number in range(100):
        router.send_multipart([b"name", b"%d" % number])
        assert first.recv() == b"%d" % number
        first.send(b"%d" % number)
        assert router.recv_multipart() == [b"name", b"%d" % number]
    assert not second.poll(0)


def test_a_name_is_free_when_its_owner_left(link: Link) -> None:
    endpoint = link.endpoint()
    router = link.near(zmq.ROUTER, bind=endpoint)
    first = link.far(zmq.DEALER, connect=endpoint, identity=b"name")
    first.send(b"first")
    assert router.recv_multipart() == [b"name", b"first"]
    first.close()

    def taken_over() -> bool:
        # Who comes before the first is quite gone is turned away, and here just asks again.
        second = link.far(zmq.DEALER, connect=endpoint, identity=b"name")
        second.send(b"second")
        if not router.poll(50):
            second.close()
            return False
        assert router.recv_multipart() == [b"name", b"second"]
        router.send_multipart([b"name", b"welcome"])
        return bool(second.recv() == b"welcome")

    wait_for(taken_over, "the name is given to another")


def test_a_chain_of_hops(link: Link) -> None:
    front_end, back_end = link.endpoint(), link.endpoint()
    router = link.near(zmq.ROUTER, bind=front_end)
    dealer = link.near(zmq.DEALER, bind=back_end)
    rep = link.far(zmq.REP, connect=back_end)
    reqs = [link.far(zmq.REQ, connect=front_end, identity=b"%d" % n) for n in range(5)]
    for number, req in enumerate(reqs):
        req.send(b"question %d" % number)
    for _ in reqs:
        dealer.send_multipart(router.recv_multipart())
    for _ in reqs:
        question = rep.recv()
        rep.send(question.replace(b"question", b"answer"))
    for _ in reqs:
        answer = dealer.recv_multipart()
        assert answer[1] == b""
        router.send_multipart(answer)
    assert [req.recv() for req in reqs] == [b"answer %d" % number for number in range(5)]


def test_router_collects_in_turn(link: Link) -> None:
    endpoint = link.endpoint()
    router = link.near(zmq.ROUTER, bind=endpoint)
    flooding = link.near(zmq.DEALER, connect=endpoint, identity=b"flood")
    quiet = link.far(zmq.DEALER, connect=endpoint, identity=b"quiet")
    quiet.send(b"hello")
    assert router.recv_multipart() == [b"quiet", b"hello"]
    quiet.send(b"word")
    # The flood only ends when the quiet message has come through.
    while True:
        flooding.send(b"x")
        flooding.send(b"x")
        name, _ = router.recv_multipart()
        if name == b"quiet":
            break


def test_many_dealers(link: Link) -> None:
    endpoint = link.endpoint()
    router = link.near(zmq.ROUTER, bind=endpoint)
    dealers = [link.far(zmq.DEALER, connect=endpoint, identity=b"%d" % n) for n in range(50)]
    for dealer in dealers:
        dealer.send(b"ask")
        dealer.send(b"last")
    for _ in range(100):
        name, word = router.recv_multipart()
        router.send_multipart([name, word + b" " + name])
    for number, dealer in enumerate(dealers):
        assert receive_until(dealer, b"last %d" % number) == [b"ask %d" % number]


def test_parts_of_different_senders_do_not_mix(link: Link) -> None:
    endpoint = link.endpoint()
    router = link.near(zmq.ROUTER, bind=endpoint)
    dealers = [link.far(zmq.DEALER, connect=endpoint, identity=b"%d" % n) for n in range(3)]
    for step in range(10):
        for number, dealer in enumerate(dealers):
            dealer.send(b"%d" % number, zmq.SNDMORE if step < 9 else 0)
    received = [router.recv_multipart() for _ in dealers]
    assert sorted(received) == [[b"%d" % number] * 11 for number in range(3)]
