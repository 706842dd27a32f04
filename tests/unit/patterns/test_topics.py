"""The subscription table against the plainest model there is: a set of pairs."""

from hypothesis import given, settings
from hypothesis import strategies as st

from shmzmq.patterns.topics import TopicTable

PREFIXES = st.binary(max_size=4).map(lambda text: bytes(octet % 3 for octet in text))
WHO = st.integers(0, 3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), PREFIXES, WHO),
        st.tuples(st.just("remove"), PREFIXES, WHO),
        st.tuples(st.just("drop"), st.just(b""), WHO),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(STEPS, st.lists(PREFIXES.map(lambda text: text + b"\1\2"), min_size=1, max_size=5))
def test_should_do_as_a_set_of_pairs_does(
    steps: list[tuple[str, bytes, int]], topics: list[bytes]
) -> None:
    table = TopicTable()
    model: set[tuple[bytes, int]] = set()
    for what, prefix, who in steps:
        before = {held for held, _ in model}
        if what == "add":
            model.add((prefix, who))
            assert table.add(prefix, who) == (prefix not in before)
        elif what == "remove":
            was_there = (prefix, who) in model
            model.discard((prefix, who))
            gone = prefix not in {held for held, _ in model}
            assert table.remove(prefix, who) == (was_there and gone)
        else:
            model -= {pair for pair in model if pair[1] == who}
            assert set(table.drop(who)) == before - {held for held, _ in model}
        assert len(table) == len({held for held, _ in model})
    for topic in topics:
        found = table.match(topic)
        assert len(found) == len(set(found))
        assert set(found) == {who for held, who in model if topic.startswith(held)}
        assert table.wants(topic) == bool(found)


def test_should_match_everything_with_the_empty_prefix() -> None:
    table = TopicTable()
    table.add(b"", "all")
    assert table.match(b"") == table.match(b"anything") == ["all"]


def test_should_return_the_nodes_of_what_is_cancelled() -> None:
    table = TopicTable()
    prefixes = [b"%x" % (number * 2654435761 % 2**32) for number in range(5000)]
    for prefix in prefixes:
        table.add(prefix, prefix[-1])
    assert len(prefixes) <= table.nodes() < 2 * len(prefixes)
    for prefix in prefixes[:-1]:
        assert table.remove(prefix, prefix[-1])
    assert table.nodes() == 1
    assert table.drop(prefixes[-1][-1]) == [prefixes[-1]]
    assert (table.nodes(), len(table)) == (0, 0)


@settings(deadline=None)
@given(STEPS)
def test_should_have_fewer_than_two_nodes_a_prefix(steps: list[tuple[str, bytes, int]]) -> None:
    table = TopicTable()
    for what, prefix, who in steps:
        if what == "drop":
            table.drop(who)
        else:
            getattr(table, what)(prefix, who)
        assert table.nodes() <= max(2 * len(table) - 1, 0)


def steps_of(table: TopicTable, topic: bytes) -> int:
    """Return how many nodes matching and asking look at, whichever are more."""
    before = table.steps
    table.match(topic)
    matched = table.steps
    table.wants(topic)
    return max(matched - before, table.steps - matched)


def test_should_take_no_more_steps_than_the_topic_has_bytes() -> None:
    """Counted, not timed; with 100,000 subscriptions, many of them along the same ways."""
    table = TopicTable()
    topic = b"stocks.europe.paris.air"
    for number in range(100_000):
        table.add(b"stocks.%d" % number, number % 100)
    assert len(table) == 100_000
    assert steps_of(table, b"stocks.99999.price") <= len(b"stocks.99999") + 1
    assert steps_of(table, b"news") == 1
    assert steps_of(table, topic) <= 3
    for length in range(len(topic) + 1):  # the worst there is: every beginning of it is wanted
        table.add(topic[:length], "worst")
    assert table.match(topic) == ["worst"]
    assert steps_of(table, topic) <= len(topic) + 1
    assert table.match(b"stocks.777") == ["worst", 7, 77]


def test_should_let_one_go_at_the_cost_of_what_it_held() -> None:
    table = TopicTable()
    for number in range(1000):
        table.add(b"%d" % number, "many")
    table.add(b"few", "few")
    table.add(b"7", "few")
    assert table.held_by("few") == [b"few", b"7"]
    assert table.drop("few") == [b"few"]
    assert table.held_by("few") == []
    assert len(table) == 1000
    assert table.match(b"7") == ["many"]
