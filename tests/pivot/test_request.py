import pytest

from speeddata.pivot.problem import Problem
from speeddata.pivot.request import HINT, Limits, choose_signals, read_channels, read_list, read_range

S = 10**9
START = 1_737_640_800 * S  # 2025-01-23T14:00:00Z
NOW = START + 100 * S
ANY = Limits(minutes=10**9)


def span(start=None, end=None, duration=None, newest=None, limits=ANY):
    return read_range(start, end, duration, limits, NOW, lambda: newest)


def refused(status, function, *arguments):
    with pytest.raises(Problem) as caught:
        function(*arguments)
    assert caught.value.status == status
    return caught.value.body


@pytest.mark.parametrize(
    "start",
    [
        "2025-01-23T14:00:00Z",
        "2025-01-23T14:00:00",
        "2025-01-23 14:00:00",
        "2025-01-23T15:00:00+01:00",
        "2025-01-23T15:00:00 01:00",
        "2025-01-23T15:00:00.000 0100",
        "2025-01-23T15:00:00 01",
        "2025-01-23T09:00:00-05:00",
    ],
)
def test_start_in_all_notations(start):
    assert span(start, duration="PT30S") == (START, START + 30 * S)


def test_two_of_three_make_the_range():
    assert span("2025-01-23T14:00:00Z", "2025-01-23T14:01:00Z") == (START, START + 60 * S)
    assert span("2025-01-23T14:00:00Z") == (START, NOW)
    assert span(end="2025-01-23T14:01:00Z", duration="PT1M") == (START, START + 60 * S)
    assert span(duration="PT10S", newest=START + 50 * S) == (START + 40 * S, START + 50 * S)
    assert span(duration="PT10S", newest=None) == (NOW - 10 * S, NOW)
    assert span(duration="PT0.5S", newest=START) == (START - S // 2, START)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ((), "Missing required parameter: start (or duration)"),
        ((None, "2025-01-23T14:00:00Z"), "Missing required parameter: start (or duration)"),
        (("yesterday",), "Invalid start: "),
        (("2025-01-23T14:00:00Z", "x"), "Invalid end: "),
        (("2025-01-23T14:00:00Z", None, "30"), "Invalid duration: "),
        (("2025-01-23T14:00:00Z", None, "PT"), "Invalid duration: "),
        (("2025-01-23T14:00:00Z", "2025-01-23T14:00:00Z"), "start must be before end"),
        (("2025-01-23T14:00:01Z", "2025-01-23T14:00:00Z"), "start must be before end"),
        (("2100-01-01",), "start must be before end"),
        (("2025-01-23T14:00:00Z", None, "PT0S"), "start must be before end"),
        (("2025-01-01", "2025-01-02", "PT1S"), "Give two of start, end and duration, not all three"),
    ],
)
def test_what_is_no_range_is_refused(given, error):
    assert refused(400, span, *given)["error"].startswith(error)


def test_ranges_end_where_time_does():
    assert span("2262-04-11T00:00:00Z", duration="P300D")[1] == 2**63 - 1


def test_lists():
    assert read_list("a, b,,a ,c") == ("a", "b", "c")
    assert read_list(None) == ()
    assert read_channels("a", Limits()) == ("a",)
    for text in (None, "", " , "):
        assert refused(400, read_channels, text, Limits()) == {
            "error": "Missing required parameter: channels",
            "field": "channels",
            "value": text,
            "wanted": "names of channels, with commas between",
        }


def test_limits_have_the_documented_shapes():
    limits = Limits()
    names = [f"c{n}" for n in range(21)]
    assert len(read_channels(",".join(names[:20]), limits)) == 20
    assert refused(413, read_channels, ",".join(names), limits) == {
        "error": "Channel count exceeds maximum (20)",
        "requested_channels": 21,
        "hint": HINT,
    }
    assert span("2025-01-23T14:00:00Z", duration="PT5M", limits=limits)
    assert refused(413, span, "2025-01-23T14:00:00Z", None, "PT7M30S", None, limits) == {
        "error": "Time range exceeds maximum (5 minutes)",
        "requested_minutes": 7.5,
        "hint": HINT,
    }
    error = refused(413, span, "2025-01-23T14:00:00Z", None, "PT31S", None, Limits(minutes=0.5))["error"]
    assert error == "Time range exceeds maximum (0.5 minutes)"


def test_signals_are_chosen_by_name_or_with_their_channel():
    known = {"a": ["x", "y"], "b": ["x", "b.c"]}
    assert choose_signals((), known) == {"a": None, "b": None}
    assert choose_signals(("x",), known) == {"a": ["x"], "b": ["x"]}
    assert choose_signals(("b.x", "y"), known) == {"a": ["y"], "b": ["x"]}
    assert choose_signals(("b.c",), known) == {"a": [], "b": ["b.c"]}
    assert refused(404, choose_signals, ("x", "nosuch"), known) == {
        "error": "Signal not found",
        "signal": "nosuch",
    }
    assert choose_signals(("nosuch",), {**known, "empty": None})["a"] == []
