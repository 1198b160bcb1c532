import numpy as np
import pandas
import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speeddata.channel import Channel
from speeddata.dataset import Set

START = 1_735_689_600 * 10**9 + 1


@pytest.fixture
def channel():
    made = Channel.from_ns(
        "engine", START + np.arange(3) * 10**9,
        {"v": np.array([1.5, np.nan, 3]), "n": np.ma.MaskedArray([1, 2, 3], [0, 1, 0], np.int32),
         "on": np.ma.MaskedArray([True, False, True], [0, 0, 1]), "text": np.array(["a", None, "c"], object),
         "w": np.arange(6.0).reshape(3, 2), "time": np.arange(3)}, {"v": "V", "n": "1/min"},
    )  # fmt: skip
    made.schema = '{"type": "record"}'
    return made


def same(a, b):
    assert a.name == b.name
    assert a.time_ns.tolist() == b.time_ns.tolist()
    for name, signal in a.signal.items():
        assert str(b.signal[name].tolist()) == str(signal.tolist())
        assert b.signal[name].unit == signal.unit
        assert b.signal[name].dtype == signal.dtype


def test_arrow_there_and_back(channel):
    table = channel.to_arrow()
    assert table.column_names == ["time", "v", "n", "on", "text", "w", "time_"]
    assert table["n"].null_count == 1
    assert table["v"].null_count == 0
    back = Channel.from_arrow(table)
    back.signal["time"] = back.signal.pop("time_")
    same(channel, back)
    assert back.schema == channel.schema
    assert Channel.from_arrow(table, "other").name == "other"
    back.v[0] = 5  # it can be written to, as any signal


def test_pandas(channel):
    frame = channel.to_pandas()
    assert frame.index.tz is not None
    assert frame.index[0] == pandas.Timestamp(START, tz="UTC")
    assert str(frame.n.dtype) == "Int32"
    assert str(frame.on.dtype) == "boolean"
    assert frame.n.isna().tolist() == [False, True, False]
    assert frame.attrs == {"name": "engine", "units": {"v": "V", "n": "1/min"}}
    back = Set.from_df(frame.drop(columns=["w", "time"])).engine
    assert back.time_ns.tolist() == channel.time_ns.tolist()
    assert back.n.tolist() == [1, None, 3]


def test_polars(channel):
    frame = channel.to_polars()
    assert frame["time"].dtype == polars.Datetime("ns", "UTC")
    assert frame["n"].to_list() == [1, None, 3]
    assert frame["w"].to_list() == [[0, 1], [2, 3], [4, 5]]
    assert frame["text"].to_list() == ["a", None, "c"]


def test_xarray(channel):
    data = channel.to_xarray()
    assert data.v.attrs == {"units": "V"}
    assert data.w.dims == ("time", "w_1")
    assert np.isnan(data.n[1])
    assert data.time[0] == channel.real_time[0]
    assert channel.v.to_xarray().attrs == {"units": "V"}


def test_signals_and_sets(channel):
    assert channel.v.to_pandas().attrs == {"unit": "V"}
    assert channel.v[1:].to_pandas().index[0] == pandas.Timestamp(START + 10**9, tz="UTC")
    assert channel.n.to_polars().columns == ["time", "n"]
    assert channel.n.to_arrow().num_rows == 3
    data = Set({"engine": channel})
    for made in (data.to_pandas(), data.to_polars(), data.to_arrow(), data.to_xarray()):
        assert list(made) == ["engine"]


def test_times_of_other_makers_and_what_is_refused():
    arrow = pytest.importorskip("pyarrow")
    table = arrow.table({"when": [1, 2], "x": arrow.array(["a", "b"]).dictionary_encode()})
    made = Channel.from_arrow(table, "c", time="when")
    assert made.time.tolist() == [1, 2]
    assert made.x.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="no column 'time', only when, x"):
        Channel.from_arrow(table)
    with pytest.raises(ValueError, match="1 nulls"):
        Channel.from_arrow(arrow.table({"time": [1, None]}))
    lists = arrow.table({"time": [1, 2], "same": [[1, 2], [3, 4]], "other": [[1], [2, 3]]})
    made = Channel.from_arrow(lists)
    assert made.same.tolist() == [[1, 2], [3, 4]]
    assert [row.tolist() for row in made.other] == [[1], [2, 3]]
    odd = Channel.from_ns("c", np.arange(2), {"m": np.array([{"a": 1}, [1, "x"]], object)})
    assert odd.to_arrow()["m"].to_pylist() == ['{"a": 1}', '[1, "x"]']


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=10),
    st.lists(st.floats(), max_size=10),
)
def test_every_value_survives_arrow(whole, real):
    count = min(len(whole), len(real))
    numbers = np.ma.MaskedArray([n or 0 for n in whole[:count]], [n is None for n in whole[:count]], np.int64)
    channel = Channel.from_ns("c", np.arange(count), {"n": numbers, "v": np.array(real[:count], float)})
    back = Channel.from_arrow(channel.to_arrow())
    assert back.n.tolist() == whole[:count]
    np.testing.assert_array_equal(back.v, channel.v)
