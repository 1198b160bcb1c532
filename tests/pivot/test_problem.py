import orjson
import pytest

from speeddata.pivot.problem import Problem, twice, unknown, wrong


def test_body_has_the_error_and_details():
    problem = Problem(404, "Channel not found", name="x")
    assert (problem.status, problem.body, problem.headers) == (
        404,
        {"error": "Channel not found", "name": "x"},
        None,
    )
    assert str(problem) == "Channel not found"


@pytest.mark.parametrize(
    ("value", "told", "shown"),
    [
        ("x", "x", "'x'"),
        (5, 5, "5"),
        (None, None, "None"),
        (True, True, "True"),
        (2**80, str(2**80), str(2**80)),
        (float("nan"), "nan", "nan"),
        ([1], "[1]", "[1]"),
        ("\ud800", "?", "'?'"),
        ("y" * 1000, "y" * 200 + "...", "'" + "y" * 200 + "...'"),
    ],
)
def test_what_is_wrong_is_told_with_what_was_wanted(value, told, shown):
    body = orjson.loads(orjson.dumps(wrong("limit", value, "a whole number").body))
    error = f"Invalid limit: {shown}, wanted a whole number"
    assert body == {"error": error, "field": "limit", "value": told, "wanted": "a whole number"}


def test_better_words_stand_for_the_value():
    body = wrong("start", "noon", "a time", "no time at all, wanted a time").body
    assert (body["error"], body["value"]) == ("Invalid start: no time at all, wanted a time", "noon")


def test_an_unknown_parameter_is_guessed():
    assert unknown("chanel", "x", ["channel", "key"]).body == {
        "error": "Unknown parameter 'chanel', wanted channel", "field": "chanel", "value": "x", "wanted": "channel",
    }  # fmt: skip
    assert unknown("z" * 99, 1, ["channel", "key"]).body["wanted"] == "one of channel, key"
    assert unknown("z" * 99, 1, []).body["field"] == "z" * 40


def test_what_is_given_twice():
    assert twice("start", "x").body["error"] == "Invalid start: it is given twice, wanted one"
