import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from speeddata.regroup import pieces, regroup, row_bytes
from speeddata.table import Table


def table(first, count):
    return Table(np.arange(first, first + count), {"v": np.arange(first, first + count) * 2.0})


def cut(lengths):
    first = 0
    for length in lengths:
        yield table(first, length)
        first += length


@given(st.lists(st.integers(0, 30), max_size=20), st.integers(1, 12), st.booleans())
def test_the_rows_are_the_same_in_tables_of_equal_length(lengths, rows, several):
    made = list(regroup(cut(lengths), rows, several=several))
    assert np.concatenate([np.empty(0), *(one.columns["v"] for one in made)]).tolist() == [
        n * 2.0 for n in range(sum(lengths))
    ]
    assert all(len(one) % rows == 0 and len(one) for one in made[:-1])
    if not several:
        assert all(len(one) == rows for one in made[:-1])


def test_no_more_than_a_table_is_kept_of_one_that_was_large():
    tables = [table(0, 1000), table(1000, 1)]
    made = list(regroup(iter(tables), 600))
    assert [len(one) for one in made] == [600, 401]
    assert made[1].time_ns.base is None


def test_a_row_is_as_large_as_its_values():
    words = np.empty(10, object)
    words[:] = ["x" * 1000] * 10
    small, large = table(0, 10), Table(np.arange(10), {"s": words, "a": np.ones((10, 50))})
    assert row_bytes(small) == 16
    assert 1000 + 400 < row_bytes(large) < 2000
    nested = np.empty(1, object)
    nested[0] = {"a": [np.ones(10), None, b"xyz"]}
    assert row_bytes(Table(np.arange(1), {"n": nested})) > 180


def test_pieces_have_as_many_rows_as_their_size_asks_for():
    assert [len(one) for one in pieces(cut([0, 5, 5]), lambda size: size // 4)] == [4, 4, 2]
    assert list(pieces(cut([0, 0]), lambda _: 4)) == []
