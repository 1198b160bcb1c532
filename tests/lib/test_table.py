import numpy as np
import pytest

from speeddata.table import GapFinder, Table, join_columns


def test_sorting_is_stable():
    table = Table(np.array([3, 1, 3, 1, 2]), {"n": np.arange(5)})
    assert table.sorted().columns["n"].tolist() == [1, 3, 4, 0, 2]
    ordered = Table(np.array([1, 1, 2]), {"n": np.arange(3)})
    assert ordered.sorted() is ordered


def test_joining_keeps_types_and_masks():
    first = Table(np.array([1]), {"a": np.array([1], np.int32), "m": np.ma.MaskedArray([5], [True])})
    second = Table(np.array([2]), {"a": np.array([2], np.int32), "m": np.ma.MaskedArray([6], [False])})
    joined = Table.join([first, second])
    assert joined.columns["a"].dtype == np.int32
    assert joined.columns["m"].tolist() == [None, 6]
    assert Table.join([first]) is first


def test_joining_arrays_of_other_lengths_makes_objects():
    joined = join_columns([np.ones((2, 3)), np.ones((1, 2)), np.ones((0, 0))])
    assert joined.dtype == object
    assert [len(row) for row in joined] == [3, 3, 2]
    assert join_columns([np.ones((0, 0)), np.ones((2, 3))]).shape == (2, 3)
    assert len(join_columns([np.ones((0, 0))])) == 0


@pytest.mark.parametrize("split", range(9))
def test_gaps_do_not_depend_on_how_tables_are_cut(split):
    times = np.arange(8) * 10
    numbers = np.array([1, 2, 5, 5, 4, 9, 0, 1])
    finder = GapFinder()
    finder.add(times[:split], numbers[:split])
    finder.add(times[split:], numbers[split:])
    assert finder.gaps == [(10, 2), (40, 4)]


def test_gaps_skip_nulls_and_do_not_overflow():
    finder = GapFinder()
    finder.add(np.arange(4), np.ma.MaskedArray([1, 0, 2, 4], [False, True, False, False]))
    assert finder.gaps == [(2, 1)]
    finder = GapFinder()
    finder.add(np.arange(2), np.array([2**63 - 1, -(2**63)]))
    assert finder.gaps == []
