"""High water marks: how many messages a sender may have under way (SNDHWM, RCVHWM)."""

import pytest
from support.exchange import accepted, drain, receive_until, settle
from support.factory import SocketFactory
from support.library import IS_LIBZMQ, Socket, zmq
from support.links import Link, inproc_only, ipc_only
from support.waiting import Background, wait_until_blocked

MARKS = [(1, 1), (5, 3), (3, 5), (10, 10), (1000, 1000)]


def _check_room(link: Link, sender: Socket, room: int) -> None:
    """Check that a connected sender takes exactly so many messages and then no more.

    Where it takes time there are more queues and the kernel's buffers on the way: there it is at
    least so many, and only for a sender that waits until those take something.
    """
    if link.takes_time:
        for _ in range(room):
            sender.send(b"x")
    else:
        assert accepted(sender, room + 10) == room
        assert not sender.poll(0, zmq.POLLOUT)


def _connected(link: Link, sndhwm: int, rcvhwm: int) -> tuple[Socket, Socket]:
    """Return a near PUSH and a far PULL that know each other's marks."""
    push, pull = link.pair(zmq.PUSH, zmq.PULL, near={"sndhwm": sndhwm}, far={"rcvhwm": rcvhwm})
    assert push.poll(None, zmq.POLLOUT)
    return push, pull


@pytest.mark.parametrize(("sndhwm", "rcvhwm"), MARKS)
def test_the_sum_of_both_marks(link: Link, sndhwm: int, rcvhwm: int) -> None:
    push, pull = _connected(link, sndhwm, rcvhwm)
    _check_room(link, push, sndhwm + rcvhwm)
    for _ in range(sndhwm + rcvhwm):
        assert pull.recv() == b"x"
    assert not pull.poll(0)


@pytest.mark.parametrize("binds", ["sender", "receiver"])
@pytest.mark.parametrize("first", ["binder", "connecter"])
def test_whoever_binds_first_or_last(link: Link, binds: str, first: str) -> None:
    endpoint = link.endpoint()
    make = {
        "sender": lambda how: link.near(zmq.PUSH, sndhwm=6, **how),
        "receiver": lambda how: link.far(zmq.PULL, rcvhwm=4, **how),
    }
    made = {}
    for role in sorted(make, key=lambda role: (role == binds) != (first == "binder")):
        made[role] = make[role]({"bind" if role == binds else "connect": endpoint})
    if link.kind != "inproc":
        # Only now do both know the other's mark.
        made["sender"].send(b"hello")
        assert made["receiver"].recv() == b"hello"
    _check_room(link, made["sender"], 10)


@pytest.mark.parametrize(("sndhwm", "rcvhwm"), [(0, 5), (5, 0), (0, 0)])
def test_no_mark_on_one_side_is_no_limit(link: Link, sndhwm: int, rcvhwm: int) -> None:
    if link.takes_time and sndhwm:
        pytest.skip("what waits for the I/O thread or worker is limited")
    push, pull = _connected(link, sndhwm, rcvhwm)
    assert accepted(push, 5000) == 5000
    for _ in range(5000):
        assert pull.recv() == b"x"
    assert not pull.poll(0)


@pytest.mark.parametrize("sndhwm", [1, 7, 100])
def test_only_the_senders_mark_counts_before_there_is_a_peer(link: Link, sndhwm: int) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, connect=endpoint, sndhwm=sndhwm)
    assert accepted(push, sndhwm + 10) == sndhwm
    pull = link.far(zmq.PULL, bind=endpoint)
    for _ in range(sndhwm):
        assert pull.recv() == b"x"
    push.send(b"more")
    assert pull.recv() == b"more"


def test_no_limit_before_there_is_a_peer(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, connect=endpoint, sndhwm=0)
    assert accepted(push, 20_000, b"x" * 100) == 20_000
    push.send(b"last")
    pull = link.near(zmq.PULL, bind=endpoint)
    assert receive_until(pull, b"last") == [b"x" * 100] * 20_000


@pytest.mark.parametrize("length", [0, 64, 1 << 20])
def test_messages_count_and_not_bytes(link: Link, length: int) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, connect=endpoint, sndhwm=8)
    assert accepted(push, 20, b"x" * length) == 8
    pull = link.far(zmq.PULL, bind=endpoint)
    for _ in range(8):
        assert pull.recv() == b"x" * length


def test_messages_count_and_not_frames(link: Link) -> None:
    push = link.near(zmq.PUSH, connect=link.endpoint(), sndhwm=3)
    for _ in range(3):
        push.send_multipart([b"x"] * 10, zmq.NOBLOCK)
    with pytest.raises(zmq.Again):
        push.send_multipart([b"x"] * 10, zmq.NOBLOCK)


def test_a_refused_message_is_not_queued_even_in_part(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, connect=endpoint, sndhwm=1)
    push.send_multipart([b"one", b"end"])
    with pytest.raises(zmq.Again):
        push.send_multipart([b"two", b"end"], zmq.NOBLOCK)
    pull = link.far(zmq.PULL, bind=endpoint)
    assert pull.recv_multipart() == [b"one", b"end"]
    push.send_multipart([b"three", b"end"])
    assert pull.recv_multipart() == [b"three", b"end"]


def test_each_peer_has_its_own_mark(sockets: SocketFactory) -> None:
    push = sockets.open(zmq.PUSH, bind="inproc://each", sndhwm=2)
    pulls = [sockets.open(zmq.PULL, connect="inproc://each", rcvhwm=n) for n in (1, 2, 3)]
    assert accepted(push, 100) == 3 + 4 + 5
    assert [len(drain(pull)) for pull in pulls] == [3, 4, 5]


@pytest.mark.parametrize(("sndhwm", "rcvhwm"), [(2, 2), (10, 6), (500, 500)])
def test_receiving_makes_room(link: Link, sndhwm: int, rcvhwm: int) -> None:
    push, pull = _connected(link, sndhwm, rcvhwm)
    room = sndhwm + rcvhwm
    for _ in range(5):
        for number in range(room):
            push.send(b"%d" % number)
        assert [pull.recv() for _ in range(room)] == [b"%d" % number for number in range(room)]


@inproc_only
def test_room_shows_in_poll(link: Link) -> None:
    push, pull = _connected(link, 2, 2)
    assert accepted(push, 10) == 4
    assert push.poll(0, zmq.POLLOUT) == 0
    drain(pull)
    assert push.poll(None, zmq.POLLOUT) == zmq.POLLOUT
    assert accepted(push, 10) == 4


def test_a_blocked_sender_goes_on_when_there_is_room(link: Link) -> None:
    push, pull = _connected(link, 5, 5)
    bodies = [bytes([number % 256]) * 4096 for number in range(2000)]
    push.setsockopt(zmq.SNDTIMEO, -1)

    def send_all() -> None:
        for body in bodies:
            push.send(body)

    sending = Background(send_all)
    wait_until_blocked(sending)
    assert [pull.recv() for _ in bodies] == bodies
    sending.result()


# Over inproc libzmq does not allow a thread to bind while another one uses the socket that
# connected.
@ipc_only
def test_a_blocked_sender_goes_on_when_a_peer_binds(link: Link) -> None:
    endpoint = link.endpoint()
    push = link.near(zmq.PUSH, connect=endpoint, sndhwm=1, sndtimeo=-1)
    push.send(b"first")
    sending = Background(lambda: push.send(b"second"))
    wait_until_blocked(sending)
    pull = link.far(zmq.PULL, bind=endpoint)
    assert [pull.recv(), pull.recv()] == [b"first", b"second"]
    sending.result()


@inproc_only
def test_a_full_subscriber_loses_messages_and_the_others_do_not(link: Link) -> None:
    endpoint = link.endpoint()
    pub = link.near(zmq.PUB, bind=endpoint, sndhwm=5)
    slow = link.near(zmq.SUB, connect=endpoint, rcvhwm=5, subscribe=b"")
    quick = link.near(zmq.SUB, connect=endpoint, rcvhwm=5, subscribe=b"")
    for number in range(100):
        # Asking for its state makes libzmq take note of subscriptions and of what was received.
        assert pub.poll(0, zmq.POLLOUT)
        pub.send(b"%d" % number)
        assert quick.recv() == b"%d" % number
    assert drain(slow) == [b"%d" % number for number in range(10)]


@ipc_only
def test_a_full_subscriber_loses_messages_over_ipc(link: Link) -> None:
    pub, sub = link.pair(zmq.PUB, zmq.SUB, near={"sndhwm": 50}, far={"rcvhwm": 50})
    sub.subscribe(b"")
    settle(pub, sub)
    for number in range(100_000):
        pub.send(b"%d" % number)
    if IS_LIBZMQ:  # has credit for half a mark at least, and takes more while it is on the way
        received = [int(sub.recv()) for _ in range(50)]
        assert received[:25] == list(range(25))
        assert received == sorted(set(received))
    else:
        assert [int(sub.recv()) for _ in range(100)] == list(range(100))
        assert not sub.poll(0)


def test_a_subscriber_hears_again_when_it_has_caught_up(link: Link) -> None:
    pub, sub = link.pair(zmq.PUB, zmq.SUB, near={"sndhwm": 4}, far={"rcvhwm": 4})
    sub.subscribe(b"")
    settle(pub, sub)
    for _ in range(1000):
        pub.send(b"flood")
    pub.send(b"end")
    while True:
        while sub.poll(10):
            if sub.recv() == b"end":
                return
        pub.send(b"end")


def test_router_drops_for_a_full_peer(link: Link) -> None:
    router, dealer = link.pair(
        zmq.ROUTER, zmq.DEALER, near={"sndhwm": 2}, far={"rcvhwm": 2, "identity": b"d"}
    )
    dealer.send(b"hello")
    assert router.recv_multipart() == [b"d", b"hello"]
    for number in range(100_000):
        router.send_multipart([b"d", b"%d" % number], zmq.NOBLOCK)
    if link.takes_time:  # takes more while it is on the way
        assert [int(dealer.recv()) for _ in range(2)] == [0, 1]
    else:
        assert [int(dealer.recv()) for _ in range(4)] == [0, 1, 2, 3]
        assert not dealer.poll(0)


@pytest.mark.parametrize(("later", "room"), [(10, 12), (1, 3), (0, 1000)])
def test_a_changed_mark_holds_for_pipes_that_exist(
    sockets: SocketFactory, later: int, room: int
) -> None:
    pull = sockets.open(zmq.PULL, bind="inproc://changed", rcvhwm=2)
    push = sockets.open(zmq.PUSH, connect="inproc://changed", sndhwm=3)
    push.setsockopt(zmq.SNDHWM, later)
    assert accepted(push, 1000) == room
    assert len(drain(pull)) == room
