import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import speeddata
from speeddata.channel import Channel
from speeddata.dataset import Set

S = 10**9
times = st.lists(st.integers(0, 50), max_size=15).map(sorted)


def channel(name, seconds, **signals):
    return Channel.from_ns(
        name, np.array(seconds, np.int64) * S, signals or {"v": np.arange(len(seconds), dtype=float)}
    )


@settings(deadline=None)
@given(times, times, st.sampled_from(["backward", "nearest"]), st.sampled_from([None, 3]))
def test_as_merge_asof_does_it(base, other, direction, tolerance):
    how = {"backward": "previous", "nearest": "nearest"}[direction]
    other = sorted(set(other))  # which of equal times is nearest is told below
    made = speeddata.align(channel("a", base), channel("b", other), how=how, tolerance=tolerance)
    theirs = pandas.merge_asof(
        pandas.DataFrame({"t": np.array(base, np.int64)}),
        pandas.DataFrame({"t": np.array(other, np.int64), "v": np.arange(len(other), dtype=float)}),
        on="t", direction=direction, tolerance=tolerance,
    )  # fmt: skip
    np.testing.assert_array_equal(made["b.v"], theirs.v.to_numpy())


@settings(deadline=None)
@given(times.filter(lambda seconds: len(seconds) > 0), times)
def test_linear_as_numpy_does_it(known, base):
    known = sorted(set(known))
    made = speeddata.align(channel("a", known), base=channel("b", base), how="linear")["a.v"]
    theirs = np.interp(base, known, np.arange(len(known)), np.nan, np.nan)
    np.testing.assert_allclose(made, theirs, rtol=1e-12)


def test_types_units_and_nulls():
    a = channel("a", [0, 10])
    b = Channel.from_ns(
        "b", np.array([5, 5]) * S,
        {"n": [1, 2], "on": [True, False], "text": np.array(["x", "y"], object), "w": np.arange(4.0).reshape(2, 2)},
        {"n": "1/min"},
    )  # fmt: skip
    made = speeddata.align(a, b)
    assert list(made.signal) == ["a.v", "b.n", "b.on", "b.text", "b.w"]
    assert made["b.n"].tolist() == [None, 2]
    assert made["b.n"].unit == "1/min"
    assert made["b.on"].tolist() == [None, False]
    assert made["b.text"].tolist() == [None, "y"]
    assert np.isnan(made["b.w"][0]).all()
    assert made["b.w"][1].tolist() == [2, 3]
    assert speeddata.align(a, b, how="nearest")["b.n"].tolist() == [2, 2]
    linear = speeddata.align(b, a, how="linear")
    assert linear["a.v"].tolist() == [0.5, 0.5]
    assert linear["b.text"].tolist() == ["y", "y"]


def test_null_beside_a_line():
    b = channel("b", [0, 1, 2], v=np.array([0.0, np.nan, 2.0]))
    made = speeddata.align(b, every="500ms", how="linear")
    np.testing.assert_array_equal(made["b.v"], [0, np.nan, np.nan, np.nan, 2])


def test_bases():
    a, b = channel("a", [3, 1]), channel("b", [2, 7])
    assert speeddata.align(a, b).time.tolist() == [1, 3]
    assert speeddata.align(a, b, base=b).time.tolist() == [2, 7]
    assert speeddata.align(a, b, base=b.v).time.tolist() == [2, 7]
    assert speeddata.align(a, b, every="2s").time.tolist() == [2, 4, 6]
    assert speeddata.align(a, b, base=["1970-01-01T00:00:05"]).time.tolist() == [5]
    assert Set({"a": a, "b": b}).align(base=b)["a.v"].tolist() == [1, 0]
    assert len(speeddata.align(Channel(name="e"), every=1)) == 0
    assert speeddata.align(a, Channel(name="e", signals={"v": []}))["e.v"].size == 2


def test_what_cannot_be_aligned_is_told():
    a = channel("a", [0, 10**8])
    with pytest.raises(ValueError, match="how must be one of previous, linear, nearest, not 'next'"):
        speeddata.align(a, how="next")
    with pytest.raises(ValueError, match="no channels"):
        speeddata.align()
    with pytest.raises(ValueError, match="channels of one name: a, a"):
        speeddata.align(a, a)
    with pytest.raises(ValueError, match="base or every"):
        speeddata.align(a, base=a, every=1)
    with pytest.raises(ValueError, match="rows"):
        speeddata.align(a, every="1ns")
