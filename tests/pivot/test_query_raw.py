import pytest
import rolled
import segments as made
from hypothesis import given
from hypothesis import strategies as st

from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.problem import Problem
from speeddata.pivot.query import Engine
from speeddata.pivot.query_raw import read_cursor
from speeddata.pivot.query_words import Query

S = 10**9
START = made.START


def pages(folder, limit, channels=("c",), between=lambda _: None, **more):
    """All pages of a query, as lists of the values of `whole`."""
    engine = Engine(Catalogue(folder, None))
    cursor, found, number = None, [], 0
    while True:
        result = engine.run(
            Query(channels, START - 10**12, START + 10**12, limit=limit, cursor=cursor, **more), lambda: None
        )
        found.append([one.columns["whole"].tolist() for one in result.series])
        cursor, number = result.cursor, number + 1
        if cursor is None:
            return found
        between(number)


def row(number, second):
    return {"time": START + second * S, "real": 0.0, "whole": number, "flag": True}


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40), st.integers(1, 9))
def test_pages_have_each_record_once(tmp_path_factory, seconds, limit):
    folder = tmp_path_factory.mktemp("archive")
    rows = [row(number, second) for number, second in enumerate(seconds)]
    rolled.segment(folder / "c", 0, rows)
    found = pages(folder, limit)
    assert all(len(page[0]) == limit for page in found[:-1])
    wanted = [one["whole"] for one in sorted(rows, key=lambda one: one["time"])]
    assert [value for page in found for value in page[0]] == wanted


def test_what_arrives_between_pages(tmp_path):
    rolled.segment(tmp_path / "c", 0, [row(number, number // 3) for number in range(9)])

    def late(number):
        if number == 1:
            rolled.segment(tmp_path / "c", 1, [row(100, 0), row(101, 1), row(102, 2), row(103, 50)])

    assert [page[0] for page in pages(tmp_path, 4, between=late)] == [
        [0, 1, 2, 3],
        [4, 5, 101, 6],
        [7, 8, 102, 103],
        [],
    ]


def test_several_channels_go_on_each_from_its_place(tmp_path):
    rolled.segment(tmp_path / "c", 0, rolled.steady_rows(5))
    rolled.segment(tmp_path / "d", 0, rolled.steady_rows(2))
    assert pages(tmp_path, 3, ("c", "d")) == [[[0, 1, 2], [0, 1]], [[3, 4], []]]


def test_a_signal_that_the_range_does_not_have_is_null(tmp_path):
    rolled.segment(tmp_path / "c", 0, rolled.steady_rows(2))
    rolled.segment(
        tmp_path / "c",
        1,
        [{"time": START + 9 * S, "real": 1.0, "whole": 1.5, "extra": 7}],
        schema=rolled.LATER,
    )
    engine = Engine(Catalogue(tmp_path, None))

    def told(first, last):
        series = engine.run(Query(("c",), START + first * S, START + last * S), lambda: None).series[0]
        return {name: column.tolist() for name, column in series.columns.items()}

    assert told(0, 1) == {
        "real": [0.0, 0.25],
        "whole": [0.0, 1.0],
        "extra": [None, None],
        "flag": [True, False],
    }
    assert told(9, 9) == {"real": [1.0], "whole": [1.5], "extra": [7], "flag": [None]}
    assert told(100, 101) == {"real": [], "whole": [], "extra": [], "flag": []}


def test_without_a_limit_there_is_one(tmp_path):
    from speeddata.pivot.query_words import Limits

    rolled.segment(tmp_path / "c", 0, rolled.steady_rows(20))
    engine = Engine(Catalogue(tmp_path, None), Limits(points=21, rows=10))
    result = engine.run(Query(("c",), START, START + 10**12), lambda: None)
    assert (len(result.series[0].time_ns), result.cursor is not None) == (7, True)
    result = engine.run(Query(("c",), START, START + 10**12, ("real",)), lambda: None)
    assert len(result.series[0].time_ns) == 10


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "é",
        "e30",
        "bnVsbA",
        "W10",
        "eyJjIjpbMSwyXX0x",
        "a" * 70_000,
        "eyJjIjpbMSwtMl19",
        "eyJkIjpudWxsfQ",
    ],
)
def test_what_is_no_cursor_is_refused(text):
    with pytest.raises(Problem) as caught:
        read_cursor(text, ["c"])
    assert (caught.value.status, caught.value.body["field"]) == (400, "cursor")


@given(st.text(max_size=50))
def test_no_text_breaks_it(text):
    try:
        read_cursor(text, ["c"])
    except Problem as problem:
        status = problem.status
    else:
        status = 400
    assert status == 400
