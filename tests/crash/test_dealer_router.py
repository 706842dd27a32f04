"""DEALER and ROUTER whose processes are killed under traffic."""

from random import Random
from typing import Any

from crash.cast import Cast
from crash.payload import message, whose
from crash.record import Record
from support.factory import SocketFactory
from support.library import Socket, zmq

STEADY = 1
VICTIM = 100
WINDOW = 50


def test_dealers_die_and_come_back_under_their_name(
    cast: Cast, sockets: SocketFactory, seed: int
) -> None:
    random = Random(seed)
    endpoint = cast.endpoint()
    router = sockets.open(zmq.ROUTER, bind=endpoint)
    part: dict[str, Any] = {
        "type": "DEALER",
        "how": "connect",
        "endpoint": endpoint,
        "window": WINDOW,
    }

    def serve_until(record: Record, following: int) -> None:
        while record.following < following:
            name, *request = router.recv_multipart()
            # A name that a dead process had goes over to the next that has it.
            assert name == (b"steady" if whose(request)[0] == STEADY else b"victim")
            router.send_multipart([name, *request])

    steady = cast.start("ask", sender=STEADY, options={"routing_id": "steady"}, **part)
    for sender in range(VICTIM, VICTIM + 3):
        victim = cast.start("ask", sender=sender, options={"routing_id": "victim"}, **part)
        serve_until(victim.record, random.randrange(1, 500))
        victim.kill()
        serve_until(steady.record, steady.record.following + 200)


class Requests:
    """A DEALER of the test that sends numbered requests and checks what comes back."""

    def __init__(self, dealer: Socket) -> None:
        self._dealer = dealer
        self._sent = self._due = 0
        self.unanswered = 0

    def send(self, count: int) -> None:
        """Send requests."""
        for _ in range(count):
            self._dealer.send_multipart(message(STEADY, self._sent))
            self._sent += 1

    def receive(self) -> None:
        """Receive the answers that are there, each whole and in order; count those left out."""
        while self._dealer.poll(0):
            self._receive()

    def receive_all(self) -> None:
        """Receive until the last request has been answered."""
        while self._due < self._sent:
            self._receive()

    def _receive(self) -> None:
        sender, number = whose(self._dealer.recv_multipart())
        assert sender == STEADY
        assert number >= self._due
        self.unanswered += number - self._due
        self._due = number + 1


def test_what_a_dead_router_had_not_read_goes_to_the_next(
    cast: Cast, sockets: SocketFactory, seed: int
) -> None:
    random = Random(seed)
    endpoint = cast.endpoint()
    requests = Requests(sockets.open(zmq.DEALER, connect=endpoint, reconnect_ivl=5))
    for deaths in range(3):
        router = cast.start("answer", type="ROUTER", how="bind", endpoint=endpoint)
        enough = random.randrange(1, 500)
        while router.record.following < enough:
            requests.send(WINDOW)
            requests.receive()
        router.kill()
        # It takes and answers one at a time, so that one at most was in its hands.
        assert requests.unanswered <= deaths
    cast.start("answer", type="ROUTER", how="bind", endpoint=endpoint)
    requests.send(1)
    requests.receive_all()
    assert requests.unanswered <= 3


def test_both_die(cast: Cast, sockets: SocketFactory, seed: int) -> None:
    random = Random(seed)
    endpoint = cast.endpoint()
    dealer: dict[str, Any] = {
        "type": "DEALER",
        "how": "connect",
        "endpoint": endpoint,
        "window": WINDOW,
    }
    for sender in range(VICTIM, VICTIM + 2):
        router = cast.start("answer", wait=False, type="ROUTER", how="bind", endpoint=endpoint)
        asker = cast.start("ask", wait=False, sender=sender, **dealer)
        asker.await_progress(random.randrange(1, 1000))
        for actor in random.sample((asker, router), 2):
            actor.kill()
    cast.start("answer", type="ROUTER", how="bind", endpoint=endpoint)
    requests = Requests(sockets.open(zmq.DEALER, connect=endpoint))
    requests.send(WINDOW)
    requests.receive_all()
    assert requests.unanswered == 0
