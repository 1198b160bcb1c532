import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.pivot.problem import Problem
from speeddata.pivot.where import MAX_DEPTH, MAX_TEXT, parse_where

COLUMNS = {
    "speed": np.array([1.0, np.nan, 3.0, 4.0]),
    "mode": np.array(["run", None, "stop", 'a"b'], object),
    "gear": np.ma.MaskedArray([1, 2, 3, 4], mask=[0, 1, 0, 0]),
    "on": np.array([True, False, True, False]),
    "car.speed": np.array([9.0, 8.0, 7.0, 6.0]),
    "other": np.array([1, "x", None, 2.5], object),
    "small": np.array([1.0, np.nan, 3.0, -4.0], np.float32),
}


def rows(text):
    return np.flatnonzero(parse_where(text).rows(COLUMNS)).tolist()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("speed > 1", [2, 3]),
        (f"speed < {10**400}", [0, 2, 3]),
        (f"speed < -{10**400}", []),
        (f"on < {10**30}", [0, 1, 2, 3]),
        (f"gear < {10**30}", [0, 2, 3]),
        (f"other < {10**400}", [0, 3]),
        ("small < 1e300 and small > -1e300", [0, 2, 3]),
        ("1 < speed", [2, 3]),
        ("speed >= 3 and mode == 'stop'", [2]),
        ('speed > 3 or mode = "run"', [0, 3]),
        ("not speed > 1", [0]),
        ("not (speed > 1 or gear == 1)", []),
        ("speed is null", [1]),
        ("speed is not null", [0, 2, 3]),
        ("gear is null or on = true", [0, 1, 2]),
        ("gear != 3", [0, 3]),
        ("gear <> 3", [0, 3]),
        ("gear in (1, 4)", [0, 3]),
        ("gear not in (1, 4)", [2]),
        ("mode != 'run'", [2, 3]),
        (r'mode == "a\"b"', [3]),
        ("mode > 'run'", [2]),
        ("car.speed < 8", [2, 3]),
        ("`car.speed` < 8 AND NOT on = true", [3]),
        ("speed == -1e3", []),
        ("mode == 1", []),
        ("speed == 'x'", []),
        ("other == 1", [0]),
        ("other > 1", [3]),
        ("other == 'x'", [1]),
        ("gear < 123456789012345678901234567890", [0, 2, 3]),
        ("((((on == false))))", [1, 3]),
    ],
)
def test_conditions(text, wanted):
    assert rows(text) == wanted


def test_the_signals_it_is_about():
    assert parse_where("a > 1 and `b c` < 2 or x.a is null and a < 5").signals == ("a", "b c", "x.a")


@pytest.mark.parametrize(
    "text",
    ["", "speed", "speed >", "> 3", "speed > > 3", "speed > 3 and", "(speed > 3", "speed > 3)", "speed > mode", "1 > 2",
     "speed is 3", "speed in 3", "speed in ()", "speed not 3", "__import__('os').system('x')", "speed > 3; drop",
     "speed > 'x", "speed ** 2 > 3", "a\0 > 1", "not", "speed = 1 = 1", "lambda: 0"],
)  # fmt: skip
def test_what_cannot_be_read_is_said_with_its_place(text):
    with pytest.raises(Problem) as caught:
        parse_where(text)
    body = caught.value.body
    assert (caught.value.status, body["field"], body["value"]) == (400, "where", text)
    assert "at character" in body["error"]
    assert body["wanted"].startswith("a condition such as speed > 3")
    assert body["wanted"] in body["error"]


def test_size_and_depth_are_limited():
    for text in ("x" * (MAX_TEXT + 1), "(" * 1000 + "a > 1" + ")" * 1000, "not " * 900 + "a > 1"):
        with pytest.raises(Problem):
            parse_where(text)
    half = MAX_DEPTH // 2
    parse_where("(" * half + "a > 1" + ")" * half)


@given(st.text(max_size=60))
def test_no_text_breaks_it(text):
    try:
        parse_where(text)
    except Problem as problem:
        status = problem.status
    else:
        status = 400
    assert status == 400


@given(
    st.lists(
        st.sampled_from(
            [
                "speed",
                "mode",
                "gear",
                ">",
                "==",
                "1",
                "'run'",
                "and",
                "or",
                "not",
                "(",
                ")",
                "is",
                "null",
                "in",
                ",",
            ]
        ),
        max_size=14,
    )
)
def test_no_words_break_it(words):
    try:
        condition = parse_where(" ".join(words))
    except Problem:
        return
    assert len(condition.rows(COLUMNS)) == 4
