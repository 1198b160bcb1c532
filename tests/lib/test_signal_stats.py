import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speeddata.channel import Channel
from speeddata.dataset import Set
from speeddata.signal import Signal

S = 10**9


@settings(deadline=None)
@given(st.lists(st.one_of(st.just(float("nan")), st.floats(-1e6, 1e6)), min_size=1, max_size=30))
def test_as_pandas_does_it(values):
    channel = Channel.from_ns("c", np.arange(len(values)) * S, {"v": np.array(values)})
    ours, theirs = channel.v.stats(), pandas.Series(values, dtype=float)
    assert (ours.count, ours.nulls) == (theirs.count(), theirs.isna().sum())
    for name in ("min", "max", "mean", "std", "median"):
        wanted = getattr(theirs, name)()
        found = getattr(ours, name)
        assert found is None if np.isnan(wanted) else found == pytest.approx(wanted, rel=1e-9, abs=1e-9)


def test_every_kind_of_signal():
    channel = Channel.from_ns(
        "c", np.array([0, 1, 2, 3]) * S,
        {"n": np.ma.MaskedArray([1, 2**62, 5, 9], [0, 0, 1, 0]), "on": np.array([True, True, False, True]),
         "t": np.array(["a", None, "b", "b"], object), "w": np.arange(8).reshape(4, 2)}, {"n": "1/min"},
    )  # fmt: skip
    made = channel.stats()
    assert (made["n"].count, made["n"].nulls, made["n"].min, made["n"].max) == (3, 1, 1, 2**62)
    assert made["n"].unit == "1/min"
    assert made["on"].mean == 0.75
    assert (made["t"].count, made["t"].nulls, made["t"].min) == (3, 1, None)
    assert (made["w"].count, made["w"].max) == (8, 7)
    assert made["n"].rate == 1.0
    assert made["n"].start_ns == 0
    assert repr(made).splitlines()[0].split()[:4] == ["signal", "unit", "count", "nulls"]
    assert "1970-01-01T00:00:03Z" in repr(made["n"])


def test_gaps_by_numbers_and_by_time():
    channel = Channel.from_ns("c", np.array([0, 1, 2, 30, 31]) * S, {"v": np.zeros(5)})
    assert channel.v.stats().gaps == 1
    channel.gaps = [(0, 3), (2 * S, 5), (31 * S, 1)]
    assert channel.v.stats().gaps == 2
    assert channel.v[1:].stats().gaps == 1
    assert channel.take(slice(1, None)).v.stats().gaps == 1


def test_little_and_nothing():
    empty = Channel.from_ns("c", np.empty(0), {"v": []}).v.stats()
    assert (empty.count, empty.rate, empty.mean, empty.start_ns) == (0, None, None, None)
    one = Channel.from_ns("c", [5], {"v": [1.0]}).v.stats()
    assert (one.std, one.rate, one.median) == (None, None, 1.0)
    assert Signal(np.arange(3.0), "v").stats().mean == 1.0
    assert list(Set({"c": Channel.from_ns("c", [5], {"v": [1.0]})}).stats()) == ["c.v"]
