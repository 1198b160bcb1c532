"""What `speeddata tail` makes of records."""

import numpy as np

from speeddata.channel import Channel
from speeddata.tail_view import TailView, records_of, value_text, waiting_words

WANTED = {"a": {"x": "V", "w": ""}}


def batch(count, first=0, name="a"):
    times = np.arange(first, first + count, dtype=np.int64) * 10**9
    wave = np.empty(count, object)
    wave[:] = [[n, n + 1] for n in range(count)]
    mode = np.ma.MaskedArray(np.arange(count), mask=[n % 2 == 1 for n in range(count)])
    signals = {"x": np.arange(count) / 2, "w": wave, "m": mode}
    return Channel.from_ns(name, times, signals, {"x": "V"})


def test_rows_have_the_newest_value_the_rate_and_the_age():
    view = TailView(WANTED)
    assert [row.value for row in view.rows(0.0, 0)] == [None, None]
    view.add(batch(3), 10.0)
    view.add(batch(5), 11.0)
    view.add(batch(2, name="b"), 11.0)
    x, wave = view.rows(11.5, 10 * 10**9)
    assert x == ("a.x", 2.0, "V", 5.0, 6.0)
    assert wave.value == [4, 5]
    assert view.records == 8
    assert next(view.rows(30.0, 0)).rate == 0.0, "long silent"


def test_a_record_is_a_line():
    first, second = records_of(batch(2), ["x", "m"])
    assert first == {"channel": "a", "time": "1970-01-01T00:00:00Z", "x": 0.0, "m": 0}
    assert second["m"] is None
    assert next(records_of(batch(1), None))["w"] == [0, 1]


def test_long_values_are_shortened_unless_all_is_wanted():
    assert value_text(1 / 3, False) == "0.333333"
    assert value_text(1 / 3, True) == repr(1 / 3)
    assert len(value_text("x" * 100, False)) == 40
    assert value_text("x" * 100, True) == "x" * 100
    assert value_text("\x1b[31m", True) == "\\x1b[31m"
    assert value_text(None, False) == "-"


def test_what_is_waited_for_is_said():
    silent = {"name": "a", "state": "idle", "stats": None}
    heard = {"name": "b", "state": "idle", "stats": {"records": 2, "durable_until": "1970-01-01T00:01:00Z"}}
    now_ns = 240 * 10**9
    assert waiting_words([silent, heard], now_ns) == "waiting for records of a, b; the newest came 3 min ago"
    assert waiting_words([silent], now_ns) == "waiting for records of a"
