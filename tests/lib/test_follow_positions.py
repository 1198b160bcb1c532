import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.follow_positions import KEPT, PLACES, WHOLE, Positions, rank_of
from speeddata.segment_names import segment_name

names = st.integers(0, 2**40).map(lambda start: segment_name("engine", start))
counts = st.dictionaries(names, st.integers(0, WHOLE), max_size=KEPT)
keys = st.one_of(st.none(), st.tuples(st.integers(-(2**63), 2**63 - 1), names, st.integers(0, 1000)))


@given(st.one_of(st.just(""), names), counts, st.booleans(), keys)
def test_there_and_back(floor, counted, in_history, key):
    given_ = Positions(floor, counted, key if in_history else None, in_history)
    assert Positions.from_json("engine", given_.to_json("engine")) == given_


@given(st.lists(names, unique=True, min_size=1, max_size=3 * KEPT))
def test_a_token_counts_the_last_segments_and_has_the_others_as_read(listed):
    listed.sort()
    given_ = Positions("", {name: place + 1 for place, name in enumerate(listed)})
    back = Positions.from_json("engine", given_.to_json("engine"))
    assert len(back.counts) <= KEPT
    for place, name in enumerate(listed):
        kept = place >= len(listed) - KEPT
        assert back.read_of(name) == (place + 1 if kept else WHOLE)
    assert back.read_of(segment_name("engine", 2**41)) == 0


def test_a_segment_touched_again_is_kept():
    made = Positions()
    for place in range(KEPT):
        made.set(segment_name("engine", place), 1)
    made.set(segment_name("engine", 0), 2)
    made.set(segment_name("engine", 100), 1)
    back = Positions.from_json("engine", made.to_json("engine"))
    assert back.read_of(segment_name("engine", 0)) == 2
    assert back.read_of(segment_name("engine", 1)) == WHOLE


def test_ranks_stand_in_the_order_of_segments_and_records():
    listed = ["a", "c"]
    ranks = [
        rank_of(listed, "a", 0),
        rank_of(listed, "a", 5),
        rank_of(listed, "b", 7),
        rank_of(listed, "c", 0),
    ]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == 4
    assert rank_of(listed, "c", 3) == (1 << PLACES) + 3


@pytest.mark.parametrize(
    "value",
    [None, [], {}, {"f": 1, "s": {}}, {"f": "", "s": []}, {"f": "x", "s": {}}, {"f": "", "s": {"x": 1}},
     {"f": "", "s": {"20260101T000000.000000Z": -1}}, {"f": "", "s": {"20260101T000000.000000Z": True}},
     {"f": "", "s": {}, "h": [1]}, {"f": "", "s": {}, "h": [2**70, "20260101T000000.000000Z", 1]},
     {"f": "", "s": {"../../etc/passwd": 1}}, {"f": "", "s": {}, "h": "x"}],
)  # fmt: skip
def test_another_thing_is_refused(value):
    with pytest.raises(ValueError):
        Positions.from_json("engine", value)
