"""Coming and going: late binders, restarts, and what becomes of messages under way (LINGER)."""

import pytest
from support.children import Child
from support.exchange import bind_when_free, drain, meet, receive_until, settle, unique
from support.factory import SocketFactory
from support.library import IS_LIBZMQ, ours_better, zmq
from support.links import Link, ipc_only, local_ipc_only
from support.waiting import Background, wait_for, wait_until_blocked


def test_everyone_may_connect_before_anyone_binds(link: Link) -> None:
    endpoint = link.endpoint()
    pushes = [link.far(zmq.PUSH, connect=endpoint) for _ in range(5)]
    for number, push in enumerate(pushes):
        push.send(b"%d" % number)
    pull = link.near(zmq.PULL, bind=endpoint)
    assert sorted(pull.recv() for _ in pushes) == [b"%d" % number for number in range(5)]


@ipc_only
def test_a_connected_sender_goes_on_when_the_binder_restarts(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, connect=endpoint, reconnect_ivl=5)
    for _ in range(4):
        pull = link.far(zmq.PULL)
        bind_when_free(pull, endpoint)
        # What is sent before the loss of the last binder is noticed may be lost with it.
        word = unique("hello")
        push.send(word)
        while not pull.poll(10):
            push.send(word)
        last = unique("last")
        push.send(last)
        receive_until(pull, last)
        pull.close()


@ours_better("what the binder had not received when it went is delivered to the next one")
@ipc_only
def test_a_restarting_binder_loses_nothing(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, connect=endpoint, reconnect_ivl=5)
    pull = link.far(zmq.PULL, bind=endpoint)
    push.send(b"hello")
    assert pull.recv() == b"hello"
    words = [b"%d" % number for number in range(100)]
    for word in words[:50]:
        push.send(word)
    pull.close()
    for word in words[50:]:
        push.send(word)
    again = link.far(zmq.PULL)
    bind_when_free(again, endpoint)
    assert [again.recv() for _ in words] == words


@ipc_only
def test_a_subscriber_subscribes_again_at_a_restarted_publisher(link: Link) -> None:
    endpoint = link.endpoint()
    sub = link.near(zmq.SUB, connect=endpoint, subscribe=[b"a", b"b"], reconnect_ivl=5)
    sub.unsubscribe(b"b")
    for number in range(3):
        pub = link.far(zmq.PUB)
        bind_when_free(pub, endpoint)
        settle(pub, sub)
        for topic in (b"b", b"a"):
            pub.send(topic + b" %d" % number)
        assert sub.recv() == b"a %d" % number
        pub.close()


@ipc_only
def test_a_publisher_is_told_again_after_it_restarts(link: Link) -> None:
    endpoint = link.endpoint()
    sub = link.near(zmq.SUB, connect=endpoint, subscribe=b"a", reconnect_ivl=5)
    for _ in range(3):
        xpub = link.far(zmq.XPUB)
        bind_when_free(xpub, endpoint)
        while not xpub.poll(10):
            # libzmq subscribes again only when the subscriber does something.
            assert not sub.poll(0)
        assert xpub.recv() == b"\x01a"
        xpub.close()


@ipc_only
def test_a_named_dealer_is_known_again_at_a_restarted_router(link: Link) -> None:
    endpoint = link.endpoint()
    dealer = link.near(zmq.DEALER, connect=endpoint, identity=b"name", reconnect_ivl=5)
    for _ in range(3):
        router = link.far(zmq.ROUTER)
        bind_when_free(router, endpoint)
        word = unique("hello")
        dealer.send(word)
        while not router.poll(10):
            dealer.send(word)
        assert router.recv_multipart()[0] == b"name"
        router.send_multipart([b"name", word])
        assert dealer.recv() == word
        router.close()


def test_peers_come_and_go(link: Link) -> None:
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL, bind=endpoint)
    for number in range(50):
        push = link.far(zmq.PUSH, connect=endpoint, linger=-1)
        push.send(b"%d" % number)
        push.send(b"%d more" % number)
        push.close()
        assert [pull.recv(), pull.recv()] == [b"%d" % number, b"%d more" % number]


def test_a_receiver_that_leaves_is_passed_over(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, bind=endpoint)
    leaves, stays = link.far(zmq.PULL, connect=endpoint), link.far(zmq.PULL, connect=endpoint)
    meet(push, [leaves, stays])
    leaves.close()

    def both_arrive() -> bool:
        # Of two messages in a row one would go to the other peer, were it still there.
        words = [unique("first"), unique("second")]
        for word in words:
            push.send(word)
        received: list[bytes] = []
        while stays.poll(50):
            received.append(stays.recv())
        return received[-2:] == words

    wait_for(both_arrive, "everything goes to the one that stays")


@local_ipc_only
def test_lingering_for_ever(link: Link) -> None:
    endpoint = link.endpoint()
    context = zmq.Context()
    push = SocketFactory(context).open(zmq.PUSH, connect=endpoint, linger=-1)
    for number in range(10):
        push.send(b"%d" % number)
    push.close()
    ending = Background(context.term)
    wait_until_blocked(ending)
    # It waits for a peer, of which there is none yet.
    assert ending.is_alive()
    pull = link.near(zmq.PULL, bind=endpoint)
    assert [pull.recv() for _ in range(10)] == [b"%d" % number for number in range(10)]
    ending.result()


@pytest.mark.parametrize("linger", [0, 1, 50])
@pytest.mark.parametrize("how", ["option", "close", "destroy"])
@local_ipc_only
def test_lingering_for_a_while(link: Link, linger: int, how: str) -> None:
    endpoint = link.endpoint()
    context = zmq.Context()
    push = SocketFactory(context).open(
        zmq.PUSH, connect=endpoint, linger=linger if how == "option" else -1
    )
    push.send(b"lost")
    if how == "destroy":
        context.destroy(linger=linger)
    else:
        push.close(linger=linger if how == "close" else None)
        context.term()
    # It came to an end although nobody took the message; nor does anybody get it now.
    pull = link.near(zmq.PULL, bind=endpoint)
    link.far(zmq.PUSH, connect=endpoint).send(b"next")
    assert pull.recv() == b"next"
    assert drain(pull) == []


def test_lingering_is_needed_only_for_unsent_messages(link: Link) -> None:
    with zmq.Context() as context:
        factory = SocketFactory(context)
        pull = factory.open(zmq.PULL, bind="inproc://taken", linger=-1)
        push = factory.open(zmq.PUSH, connect="inproc://taken", linger=-1)
        push.send(b"x")
        assert pull.recv() == b"x"
        push.close()
        pull.close()


def test_a_big_backlog_is_delivered_after_closing(link: Link) -> None:
    endpoint = link.endpoint()
    pull = link.near(zmq.PULL, bind=endpoint)
    push = link.far(zmq.PUSH, connect=endpoint, linger=-1, sndhwm=0)
    bodies = [bytes([number]) * 100_000 for number in range(100)]
    for body in bodies:
        push.send(body)
    push.close()
    assert [pull.recv() for _ in bodies] == bodies


WAYS = [
    "term",
    pytest.param("close", marks=ours_better("nothing is lost without Context.term() either")),
]


@pytest.mark.parametrize(("count", "length"), [(1, 64), (10_000, 64), (20, 1 << 20)])
@pytest.mark.parametrize("way", WAYS)
@local_ipc_only
def test_a_process_that_ends_at_once_delivers(
    link: Link, way: str, count: int, length: int
) -> None:
    endpoint = link.endpoint()
    # A receiver at its mark makes libzmq lose what the kernel still holds of a peer that has gone.
    pull = link.near(zmq.PULL, bind=endpoint, rcvhwm=0 if IS_LIBZMQ else 1000)
    with Child("sends_and_ends", endpoint, str(count), str(length), way) as child:
        for number in range(count):
            assert pull.recv() == number.to_bytes(4, "little") * (length // 4)
        child.expect("sent")
        assert child.wait() == 0


@local_ipc_only
def test_a_process_that_ends_waits_for_a_peer(link: Link) -> None:
    endpoint = link.endpoint()
    with Child("sends_and_ends", endpoint, "10", "64", "term") as child:
        wait_until_blocked(pid=child.pid)
        pull = link.near(zmq.PULL, bind=endpoint)
        for number in range(10):
            assert pull.recv() == number.to_bytes(4, "little") * 16
        child.expect("sent")
        assert child.wait() == 0


@local_ipc_only
def test_a_server_process(link: Link) -> None:
    endpoint = link.endpoint()
    req = link.near(zmq.REQ, connect=endpoint)
    req.send(b"early")
    with Child("echo", endpoint) as child:
        child.expect("ready")
        assert req.recv() == b"early"
        for number in range(100):
            req.send(b"%d" % number)
            assert req.recv() == b"%d" % number
        req.send(b"stop")
        assert req.recv() == b"stop"
        assert child.wait() == 0
