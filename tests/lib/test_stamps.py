import numpy as np
import pytest

from speeddata.errors import TimeError
from speeddata.stamps import NO_TIME, times_of, to_ns

SECOND = 1_700_000_000


@pytest.mark.parametrize(("unit", "scale"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
@pytest.mark.parametrize("kind", ["i8", "f8"])
def test_the_magnitude_of_the_first_time_tells_the_unit(unit, scale, kind):
    stamps = np.array([0, SECOND * scale, SECOND * scale + scale], kind)
    assert to_ns(stamps).tolist() == [0, SECOND * 10**9, (SECOND + 1) * 10**9]
    assert to_ns(stamps, unit).tolist() == [0, SECOND * 10**9, (SECOND + 1) * 10**9]


def test_small_numbers_are_seconds():
    assert to_ns(np.array([0.0, 0.1, 1e-9, -0.5])).tolist() == [0, 100_000_000, 1, -500_000_000]
    assert to_ns(np.array([], float)).tolist() == []


def test_a_told_unit_goes_before_the_magnitude():
    assert to_ns(np.array([5]), "ns").tolist() == [5]


def test_what_is_no_time_is_told():
    assert to_ns(np.array([np.nan, 1.0, np.inf])).tolist() == [NO_TIME, 10**9, NO_TIME]


def test_other_notations():
    assert times_of(np.array(["1970-01-01T00:00:01Z"], object)).tolist() == [10**9]
    assert times_of(np.array(["1970-01-01T00:00:01"], "datetime64[s]")).tolist() == [10**9]


@pytest.mark.parametrize("kind", ["i8", "u8", "f8"])
def test_what_int64_cannot_hold_is_no_time(kind):
    assert to_ns(np.array([1, 2**62], kind), "s").tolist() == [10**9, NO_TIME]
    assert to_ns(np.array([2**63 - 1], kind), "us").tolist() == [NO_TIME]
    if kind != "i8":
        assert to_ns(np.array([2**63], kind), "ns").tolist() == [NO_TIME]
    if kind != "u8":
        assert to_ns(np.array([-(2**62)], kind), "ms").tolist() == [NO_TIME]


def test_an_unknown_unit_is_told():
    with pytest.raises(TimeError, match="times in 'min', wanted one of s, ms, us, ns"):
        to_ns(np.array([1.0]), "min")
    with pytest.raises(TimeError, match="'soon'"):
        times_of(np.array(["soon"], object))
