import numpy as np

from speeddata.stripchart.intervals import Intervals, breaks

MS = 1_000_000


def steps(intervals: Intervals, *steps_ms: int) -> list[int]:
    """Feed times that are so far apart; give the positions after gaps."""
    start = 0 if intervals.last is None else intervals.last
    return intervals.gaps(start + np.cumsum(np.array(steps_ms, np.int64) * MS)).tolist()


def test_a_steady_stream_has_no_gaps() -> None:
    intervals = Intervals()
    assert steps(intervals, *[50] * 40) == []
    assert steps(intervals, *[60, 40, 90, 10] * 10) == []
    assert intervals.usual_ns is not None


def test_a_pause_is_a_gap() -> None:
    intervals = Intervals()
    steps(intervals, *[50] * 40)
    assert steps(intervals, 50, 500, 50) == [1]
    assert steps(intervals, 5000) == [0]


def test_a_pause_is_a_gap_in_the_first_batch_too() -> None:
    assert steps(Intervals(), *[50] * 40, 500, *[50] * 40) == [40]


def test_two_losses_do_not_hide_the_third() -> None:
    intervals = Intervals()
    steps(intervals, *[50] * 40)
    assert [steps(intervals, 1000, 50, 50) for _ in range(3)] == [[0], [0], [0]]


def test_a_stream_that_slows_down_is_believed() -> None:
    intervals = Intervals()
    steps(intervals, *[50] * 40)
    found = [steps(intervals, 2000) for _ in range(5)]
    assert found == [[0], [0], [0], [], []]


def test_nothing_is_a_gap_as_long_as_nothing_is_usual() -> None:
    intervals = Intervals()
    assert intervals.usual_ns is None
    assert steps(intervals, 0) == []
    assert steps(intervals, 5000) == []


def test_twins_and_jitter_are_no_gaps() -> None:
    intervals = Intervals()
    assert steps(intervals, *[0, 20] * 40) == []
    assert steps(intervals, 0, 90, 0, 20) == []
    assert steps(intervals, *[0, 20] * 20, 0, 240, 0, 20) == [], "a source that was held up"
    assert steps(intervals, *[0, 20] * 20, 0, 260, 0, 20) == [41]
    assert intervals.gaps(np.empty(0, np.int64)).tolist() == []


def test_a_time_that_was_overtaken_is_no_gap() -> None:
    intervals = Intervals()
    steps(intervals, *[50] * 40)
    newest = intervals.last or 0
    assert steps(intervals, -700) == []
    assert intervals.gaps(np.array([newest + 50 * MS])).tolist() == []
    assert intervals.gaps(np.array([newest - 300 * MS, newest + 100 * MS])).tolist() == []
    assert intervals.gaps(np.array([newest + 900 * MS])).tolist() == [0]


def test_a_clock_set_back_is_followed() -> None:
    intervals = Intervals()
    steps(intervals, *[50] * 40)
    assert steps(intervals, -3_600_000, 50, 50) == []
    assert steps(intervals, 50, 500) == [1]


def test_breaks_are_between_spans_that_are_far_apart() -> None:
    begins = np.array([0, 20, 40, 400, 420, 440, 2000]) * MS
    ends = begins[:-1] + 20 * MS
    assert breaks(begins, ends).tolist() == [3, 6]
    assert breaks(begins[:-1], ends).tolist() == [3]
    assert breaks(np.arange(9) * 1000 * MS, np.arange(8) * 1000 * MS + 1).tolist() == []
    assert breaks(begins[:2], ends[:2]).tolist() == []
    assert breaks(begins[:0], ends[:0]).tolist() == []
