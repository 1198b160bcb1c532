import numpy as np

from speeddata.pivot.query_fill import fill_column, there

NAN = float("nan")
STARTS = np.array([0, 10, 20, 40, 50])
REAL = np.array([NAN, 1.0, NAN, 4.0, NAN])
WHOLE = np.ma.MaskedArray([0, 1, 0, 4, 0], mask=[1, 0, 1, 0, 1])
WORDS = np.array([None, "a", None, "b", None], object)


def plain(column):
    return [None if value is np.ma.masked or value != value else value for value in column.tolist()]


def test_the_value_before():
    for column, before, after in ((REAL, 1.0, 4.0), (WHOLE, 1, 4), (WORDS, "a", "b")):
        assert plain(fill_column("previous", STARTS, column)) == [None, before, before, after, after]


def test_the_line_between_neighbours():
    assert plain(fill_column("linear", STARTS, REAL)) == [None, 1.0, 2.0, 4.0, None]
    assert plain(fill_column("linear", STARTS, WHOLE)) == [None, 1.0, 2.0, 4.0, None]
    assert plain(fill_column("linear", STARTS, WORDS)) == [None, "a", "a", "b", "b"]


def test_what_is_left_alone():
    for fill in ("none", "null"):
        assert fill_column(fill, STARTS, REAL) is REAL
    empty = np.full(5, NAN)
    assert fill_column("linear", STARTS, empty) is empty
    assert (
        there(WORDS).tolist()
        == there(WHOLE).tolist()
        == there(REAL).tolist()
        == [False, True, False, True, False]
    )
