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
