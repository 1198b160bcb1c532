import h5py
import numpy as np
import pandas
import pytest

from speeddata.channel import Channel
from speeddata.dataset import Set

START = 1_735_689_600 * 10**9


@pytest.fixture
def channel():
    times = START + np.arange(4) * 10**9 + 1
    return Channel.from_ns("engine", times, {"rpm": np.arange(4), "oil.heat": np.ones(4)}, {"rpm": "1/min"})


def test_times_in_three_notations(channel):
    assert channel.time_ns.tolist() == [START + n * 10**9 + 1 for n in range(4)]
    assert channel.time.dtype == np.float64
    assert channel.time.tolist() == [1_735_689_600 + n for n in range(4)]
    assert channel.real_time[0] == np.datetime64("2025-01-01T00:00:00.000000001")


def test_signals_are_attributes(channel):
    assert channel.rpm is channel.signal["rpm"]
    assert channel.rpm.unit == "1/min"
    assert channel.rpm.channel is channel
    assert channel.signal["oil.heat"].tolist() == [1] * 4
    assert "rpm" in dir(channel)
    assert "oil.heat" not in dir(channel)
    with pytest.raises(
        AttributeError, match="channel 'engine' has no 'volts'; its signals are rpm, oil.heat"
    ):
        _ = channel.volts
    assert not hasattr(Channel(), "x")


def test_members_go_before_signals_of_their_name():
    channel = Channel(name="a", time=[0], signals={"name": ["x"], "time": [5]})
    assert channel.name == "a"
    assert channel.signal["name"].tolist() == ["x"]
    assert channel.time.tolist() == [0]


def test_constructor_takes_relative_and_absolute_times():
    channel = Channel(
        [0.0, 0.5], np.array(["2025-01-01T00:00:00", "2025-01-01T00:00:00.5"], "datetime64[ns]"), "a", {}
    )
    assert channel.time.tolist() == [0.0, 0.5]
    assert channel.time_ns.tolist() == [START, START + 500_000_000]
    assert Channel(["2025-01-01T00:00:00Z"]).time_ns.tolist() == [START]
    assert len(Channel()) == 0


def test_signals_must_have_a_row_for_each_time(channel):
    with pytest.raises(ValueError, match="signal 'x' has 3 rows, channel 'engine' has 4"):
        channel.add_signals({"x": [1, 2, 3]})
    with pytest.raises(ValueError, match="no rows"):
        channel.add_signals({"x": 5})
    channel.add_signals({"y": [1, 2, 3, 4]})
    assert channel.y.t.tolist() == channel.time.tolist()


def test_repr_helps(channel):
    assert repr(channel).splitlines() == [
        "engine: 2 signals with 4 rows, 2025-01-01T00:00:00.000000001Z to 2025-01-01T00:00:03.000000001Z",
        "  rpm: 4 samples, int64 [1/min]",
        "  oil.heat: 4 samples, float64",
    ]
    channel.gaps, channel.damage = [(START, 3), (START, 4)], [{}]
    assert "7 records missing in 2 gaps, 1 damaged place left out" in repr(channel)
    assert repr(Channel(name="a")) == "a: 0 signals with 0 rows"
    made = Channel([0], name="a", signals={"s": np.array(["x"], object), "wave": np.zeros((1, 16), "f4")})
    assert repr(made).splitlines()[1:] == ["  s: 1 samples, text", "  wave: 1 samples of 16, float32"]


def test_from_csv(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("time,a b\n0,1\n0.5,2\n")
    for channel in (Channel.load_csv(path, "x"), Channel.from_csv(path, "x", index_col="time")):
        assert channel.time.tolist() == [0.0, 0.5]
        assert channel.a_b.tolist() == [1, 2]


def test_from_dataframe():
    frame = pandas.DataFrame(
        {
            " a b": [1.5, None, 2.5],
            "n": pandas.array([1, None, 3], dtype="Int32"),
            "whole": pandas.array([1, 2, 3], dtype="Int64"),
            "s": ["x", None, "z"],
        },
        index=pandas.date_range("2025-01-01", periods=3, freq="s", tz="Europe/Berlin"),
    )
    channel = Channel.from_df(frame, "frame")
    assert channel.time_ns.tolist() == [START - 3600 * 10**9 + n * 10**9 for n in range(3)]
    assert channel.n.tolist() == [1, None, 3]
    assert channel.n.dtype == np.int32
    assert channel.whole.dtype == np.int64
    assert channel.s.tolist() == ["x", None, "z"]
    assert np.isnan(channel.a_b[1])
    naive = Channel.from_df(frame.tz_localize(None), "naive")
    assert naive.time_ns[0] == START
    assert Channel.from_df(frame.reset_index(drop=True), "numbered").time.tolist() == [0, 1, 2]


def test_from_hdf5_group(tmp_path):
    with h5py.File(tmp_path / "old.h5", "w") as file:
        group = file.create_group("example")
        group["time"] = START + np.arange(3)
        group["voltage"] = np.arange(3.0)
        channel = Channel.from_hdf5_group(group)
    assert (channel.name, len(channel), channel.schema, channel.gaps) == ("example", 3, None, [])
    assert channel.time_ns.tolist() == [START, START + 1, START + 2]
    assert channel.voltage.unit is None


def test_ranges_of_time(channel):
    part = channel["2025-01-01T00:00:01":"2025-01-01T00:00:03"]
    assert part.time_ns.tolist() == [START + 1 * 10**9 + 1, START + 2 * 10**9 + 1]
    assert part.rpm.tolist() == [1, 2]
    assert part.rpm.unit == "1/min"
    assert part.rpm.channel is part
    assert np.shares_memory(part.rpm, channel.rpm)
    for start, end in (
        (None, 1_735_689_602),
        (np.datetime64("2025-01-01T00:00"), pandas.Timestamp("2025-01-01T00:00:02")),
    ):
        assert channel.between(start, end).rpm.tolist() == [0, 1]
        assert channel[start:end].rpm.tolist() == [0, 1]
    assert len(channel.between("2030-01-01")) == 0
    for key in (slice(None, 3), slice(np.int64(0), 3), slice(-2, None)):
        for holder in (channel, Set({"c": channel})):
            with pytest.raises(ValueError, match=r"write channel\.take\(slice\(.*for rows, or between\("):
                holder[key]
    assert channel[1_735_689_601.0:1_735_689_602.5].rpm.tolist() == [1, 2]


def test_ranges_of_what_is_out_of_order():
    channel = Channel.from_ns("c", np.array([3, 1, 2, 0]) * 10**9, {"v": [3, 1, 2, 0]})
    assert channel.between(1, 3).v.tolist() == [1, 2]
    assert channel.take([3, 0]).time.tolist() == [0, 3]


def test_parts_keep_what_is_known(channel):
    channel.schema, channel.gaps, channel.damage = (
        "{}",
        [(START + 1, 2), (START + 3 * 10**9 + 1, 1)],
        [{"reason": "x"}],
    )
    part = channel.take(slice(0, 2))
    assert (part.schema, part.gaps, part.damage) == ("{}", [(START + 1, 2)], [{"reason": "x"}])
    relative = Channel(
        [0.0, 0.5], np.array(["2025-01-01", "2025-01-02"], "datetime64[ns]"), "a", {"v": [1, 2]}
    )
    assert relative.take([1]).time.tolist() == [0.5]


def test_keys(channel):
    assert channel["oil.heat"] is channel.signal["oil.heat"]
    assert list(channel) == ["rpm", "oil.heat"]
    with pytest.raises(KeyError, match="has no signal 'volts'; its signals are rpm, oil.heat"):
        channel["volts"]
    with pytest.raises(TypeError, match=r"rows are had by take\(\)"):
        channel[5]
    with pytest.raises(ValueError, match="no step"):
        channel["2025":"2026":2]


def test_booleans_of_a_frame_that_are_null():
    frame = pandas.DataFrame({"on": pandas.array([True, None], "boolean")}, index=[0, 1])
    assert Channel.from_df(frame, "c").on.tolist() == [True, None]
