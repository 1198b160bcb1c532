import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speeddata.channel import Channel
from speeddata.errors import TimeError
from speeddata.set_resample import is_null

START = 1_735_689_600 * 10**9
values = st.one_of(st.just(float("nan")), st.floats(-1e6, 1e6))
rows = st.lists(
    st.tuples(st.integers(0, 60), values, st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1))), max_size=40
)
PANDAS = {"mean": "mean", "min": "min", "max": "max", "first": "first", "last": "last", "count": "count"}


def make(data):
    times = START + np.array([row[0] for row in data], np.int64) * 10**9
    whole = np.ma.MaskedArray([row[2] or 0 for row in data], [row[2] is None for row in data], np.int64)
    signals = {"v": np.array([row[1] for row in data], float), "n": whole}
    return Channel.from_ns("c", times, signals, {"v": "V", "n": "1/min"})


def agree(ours, theirs):
    """The same values, and null at the same places."""
    null = is_null(ours)
    assert null.tolist() == pandas.isna(theirs).tolist()
    np.testing.assert_allclose(
        np.ma.getdata(ours)[~null].astype(float), theirs.to_numpy()[~null].astype(float), rtol=1e-9, atol=1e-9
    )


@settings(deadline=None)
@given(rows, st.sampled_from([1, 2, 7, 60]), st.sampled_from(sorted(PANDAS)))
def test_as_pandas_does_it(data, every, how):
    channel = make(data)
    ours = channel.resample(f"{every}s", how)
    frame = channel.to_pandas().sort_index(kind="stable")
    theirs = getattr(frame.resample(f"{every}s", origin="epoch"), PANDAS[how])()
    assert ours.time_ns.tolist() == theirs.index.as_unit("ns").asi8.tolist()
    for name in ("v", "n"):
        agree(ours.signal[name], theirs[name])


@settings(deadline=None)
@given(rows, st.sampled_from([1, 5, 60]))
def test_sums_and_extremes_by_brute_force(data, every):
    channel = make(data)
    made = channel.resample(every, ["sum", "min", "max"], fill="none")
    buckets = sorted({(row[0] + START // 10**9) // every for row in data})
    assert made.time_ns.tolist() == [bucket * every * 10**9 for bucket in buckets]
    for place, bucket in enumerate(buckets):
        inside = [row for row in data if (row[0] + START // 10**9) // every == bucket]
        whole = [row[2] for row in inside if row[2] is not None]
        assert (made["n.sum"][place] is np.ma.masked) == (not whole)
        if whole:
            found = [int(made[f"n.{how}"][place]) for how in ("sum", "min", "max")]
            assert found == [sum(whole), min(whole), max(whole)]


def test_names_units_and_types():
    channel = Channel.from_ns(
        "c", START + np.arange(4) * 10**9,
        {"v": np.arange(4, dtype=np.float32), "on": np.array([True, False, True, True]), "w": np.arange(8).reshape(4, 2),
         "text": np.array(["a", None, "b", "c"], object)}, {"v": "V"},
    )  # fmt: skip
    made = channel.resample("2s", "minmax")
    assert list(made.signal) == ["v.min", "v.max", "on.min", "on.max", "w.min", "w.max"]
    assert made["v.max"].unit == "V"
    assert made["v.max"].dtype == np.float32
    assert made["on.min"].tolist() == [False, True]
    assert made["w.max"].tolist() == [[2, 3], [6, 7]]
    assert channel.resample("2s", "last").text.tolist() == ["a", "c"]
    assert channel.resample("2s", "first").text.tolist() == ["a", "b"]
    assert channel.resample("2s", "count").v.unit is None
    assert channel.resample("2s", "count").text.tolist() == [1, 2]
    assert channel.resample("2s", "sum").on.tolist() == [1, 2]
    assert channel.resample("2s", "avg").v.tolist() == [0.5, 2.5]


def test_empty_buckets():
    channel = Channel.from_ns("c", np.array([0, 3]) * 10**9, {"n": [1, 2], "t": np.array(["a", "b"], object)})
    kept = channel.resample("1s", "last")
    assert kept.n.tolist() == [1, None, None, 2]
    assert kept.t.tolist() == ["a", None, None, "b"]
    assert channel.resample("1s", "count").n.tolist() == [1, 0, 0, 1]
    assert channel.resample("1s", "last", fill="none").time.tolist() == [0, 3]


def test_bounds():
    channel = Channel.from_ns("c", np.array([0, 10**18]), {"n": [2**62, 2**62]})
    told = (
        "from 1970-01-01T00:00:00Z to 2001-09-09T01:46:40Z there are 1000000001 buckets of 1 s for 2 records"
    )
    with pytest.raises(ValueError, match=f"{told}.*between.*fill='none'"):
        channel.resample("1s")
    assert len(channel.resample("1s", "last", fill="none")) == 2
    with pytest.raises(ValueError, match="buckets of 0.001 s"):
        channel.resample("1ms")
    with pytest.raises(ValueError, match="how must be of mean, .* not 'average'"):
        channel.resample("1s", "average")
    with pytest.raises(ValueError, match="how is empty"):
        channel.resample("1s", [])
    with pytest.raises(ValueError, match="fill must be"):
        channel.resample("1s", fill="zero")
    with pytest.raises(TimeError):
        channel.resample("0s")
    with pytest.raises(OverflowError, match="beyond int64"):
        channel.resample("20000d", "sum")
    assert len(Channel().resample("1s")) == 0


def test_a_signal_alone():
    channel = make([(0, 1.0, 1), (1, 3.0, 2)])
    assert channel.v.resample("2s").tolist() == [2.0]
    assert channel.v.resample("2s").unit == "V"
    assert list(channel.v.resample("2s", "minmax").signal) == ["v.min", "v.max"]
    text = Channel.from_ns("c", np.arange(2), {"t": np.array(["a", "b"], object)})
    with pytest.raises(TypeError, match="wanted first, last or count"):
        text.t.resample("1s", "mean")
