"""A peer that writes garbage ends its own pipe; the process lives, and other pipes go on.

After every attack the healthy peer of the same socket must be served. A crash shows as the end of
the victim's channel; the seed is in the test's name.
"""

import random
from collections.abc import Callable, Iterator

import pytest
from fuzz.attacker import ATTACKS, PEERS, Round, attacked
from support.channel import ChildProcess
from support.pipes import no_names_left

from shmzmq.constants import SocketType

pytestmark = pytest.mark.timeout(600)

SEEDS = 100
BOARD_SEEDS = 6  # a wiped board is noticed within a second, and that second is waited for
RECEIVERS = [kind for kind in PEERS if kind not in (SocketType.PUSH, SocketType.PUB)]


class Victims:
    """The victim; another one takes its place when it is gone."""

    def __init__(self) -> None:
        self._child: ChildProcess | None = None

    def get(self) -> ChildProcess:
        """Return a victim that lives."""
        if self._child is None or self._child.has_ended():
            self.end()
            self._child = ChildProcess("fuzz.victim")
        return self._child

    def end(self) -> None:
        """Hang up; a victim that lives ends by itself."""
        if self._child is not None:
            with self._child:
                pass
        self._child = None


@pytest.fixture(scope="module")
def victims() -> Iterator[Victims]:
    """One victim after the other."""
    victims = Victims()
    yield victims
    victims.end()


@pytest.fixture
def victim(victims: Victims) -> Iterator[ChildProcess]:
    """A victim that is alive before the test."""
    with no_names_left():
        yield victims.get()


def play(victim: ChildProcess, kind: SocketType, attack_name: str, seed: int) -> None:
    """Attack a socket of *kind* two times, with a look at the healthy peer after each."""
    chosen = random.Random(f"{attack_name} {kind} {seed}")
    with attacked(victim, kind, limit=chosen.choice((0, 2, 1000))) as attack:
        attack.check_healthy()
        for number in range(chosen.randrange(4)):
            attack.send_madly(b"fine %d" % number, b"." * chosen.randrange(3000))
        for _ in range(2):
            ATTACKS[attack_name](attack, chosen)
            attack.check_healthy()
        report = attack.finish()
        assert report["errors"] == []
        assert report["healthy"]


@pytest.mark.parametrize("kind", PEERS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("attack_name", ATTACKS)
def test_should_serve_the_healthy_peer_whatever_the_mad_one_writes(
    victim: ChildProcess, request: pytest.FixtureRequest, attack_name: str, kind: SocketType
) -> None:
    scale = 20 if request.config.getoption("--stress", default=False) else 1
    for seed in range(scale * (BOARD_SEEDS if attack_name == "board" else SEEDS)):
        try:
            play(victim, kind, attack_name, seed)
        except EOFError:
            pytest.fail(f"seed {seed}: the victim ended with {victim.wait()}")
        except BaseException as error:
            error.add_note(f"seed {seed}")
            victim.kill()  # it is in the middle of a round
            raise


def tail_goes_back(attack: Round) -> None:
    attack.poke_ring(0, "tail", attack.peek_ring(0, "tail") - 16)


def tail_between_words(attack: Round) -> None:
    attack.poke_ring(0, "tail", attack.peek_ring(0, "tail") + 12)


def tail_far_ahead(attack: Round) -> None:
    attack.poke_ring(0, "tail", -8)


def record_too_long(attack: Round) -> None:
    publish_word(attack, (1 << 55) << 8)


def flags_unknown(attack: Round) -> None:
    publish_word(attack, 4)


def half_a_message(attack: Round) -> None:
    publish_word(attack, 1)


def chain_to_nowhere(attack: Round) -> None:
    publish_word(attack, 16)


def publish_word(attack: Round, word: int) -> None:
    """Publish one record of 8 bytes that is *word*."""
    tail = attack.peek_ring(0, "tail")
    attack.poke_record(tail % 16384, word)
    attack.poke_ring(0, "tail", tail + 8)


NONSENSE = [
    tail_goes_back,
    tail_between_words,
    tail_far_ahead,
    record_too_long,
    flags_unknown,
    half_a_message,
    chain_to_nowhere,
]


@pytest.mark.parametrize("kind", RECEIVERS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("nonsense", NONSENSE, ids=lambda nonsense: nonsense.__name__)
def test_should_end_the_pipe_of_a_writer_that_writes_nonsense(
    victim: ChildProcess, kind: SocketType, nonsense: Callable[[Round], None]
) -> None:
    with attacked(victim, kind) as attack:
        attack.send_madly(b"something", b"to begin with")
        attack.check_healthy(pings=20)
        nonsense(attack)
        attack.wake_victim()
        # An area of zeros is full of empty messages; they are read in turn with the healthy peer's.
        attack.check_healthy(pings=2200 if nonsense is tail_far_ahead else 20)
        report = attack.finish()
        assert report["mad"], report
        assert report["let go"]
        assert report["healthy"]
        assert report["errors"] == []


@pytest.mark.parametrize("kind", [SocketType.PUSH, SocketType.PUB], ids=lambda kind: kind.name)
@pytest.mark.parametrize(("word", "value"), [("head", -8), ("read", -1), ("read", 1 << 40)])
def test_should_end_the_pipe_of_a_reader_that_writes_nonsense(
    victim: ChildProcess, kind: SocketType, word: str, value: int
) -> None:
    with attacked(victim, kind, limit=1) as attack:
        attack.check_healthy()
        attack.poke_ring(1, word, value)
        for _ in range(10):
            attack.check_healthy()
        report = attack.finish()
        assert report["mad"], report
        assert report["let go"]
        assert report["healthy"]


def test_should_notice_that_a_victim_dies(victim: ChildProcess) -> None:
    """The test of the test: a crash must not pass for anything else."""
    victim.kill()
    with pytest.raises((EOFError, OSError)), attacked(victim, SocketType.PULL):
        pass
