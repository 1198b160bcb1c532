import copy
import pickle  # noqa: TID251 - that it can be

import numpy as np
import pytest

from speeddata.channel import Channel
from speeddata.signal import MaskedSignal, Signal

TIME = np.arange(5) / 10


@pytest.fixture
def channel():
    return Channel(TIME, name="engine", signals={"v": np.arange(5.0), "w": np.zeros((5, 3))})


@pytest.fixture
def voltage(channel):
    return Signal(np.arange(5.0), "v", channel, "V")


def test_is_an_array_that_knows_its_name_unit_channel_and_time(voltage, channel):
    assert isinstance(voltage, np.ndarray)
    assert (voltage.name, voltage.unit, voltage.channel) == ("v", "V", channel)
    assert voltage.t is channel.time


def test_slices_keep_their_time(voltage, channel):
    assert voltage[1:3].t.tolist() == [0.1, 0.2]
    assert voltage[1:][::2].t.tolist() == [0.1, 0.3]
    assert voltage[voltage > 2].t.tolist() == [0.3, 0.4]
    assert voltage[[4, 0]].t.tolist() == [0.4, 0.0]
    assert channel.w[1:3, 0].t.tolist() == [0.1, 0.2]
    assert voltage[1:3].unit == "V"


def test_what_is_computed_has_time_but_no_unit(voltage):
    assert (voltage * 2).unit is None
    assert (voltage * 2).t.tolist() == TIME.tolist()
    assert voltage.unit == "V"
    assert voltage.copy().unit == "V"
    assert voltage.astype(int).unit == "V"


def test_reductions_are_plain_numbers(voltage):
    for value in (
        voltage.mean(),
        np.sum(voltage),
        voltage.max(),
        np.median(voltage),
        voltage.std(),
        voltage[2],
    ):
        assert not isinstance(value, np.ndarray)
        assert f"{value:.1f}"


def test_what_is_no_longer_rows_has_no_time(channel):
    with pytest.raises(ValueError, match="'w'"):
        _ = channel.w[0].t
    with pytest.raises(ValueError, match="'w'"):
        _ = channel.w.T.t
    with pytest.raises(AttributeError, match="belongs to no channel"):
        _ = Signal([1, 2], "x").t


def test_masked_signals_are_signals(channel):
    counts = Signal(np.ma.MaskedArray([1, 2, 3, 4, 5], [0, 1, 0, 0, 1]), "n", channel, "1")
    assert isinstance(counts, Signal)
    assert isinstance(counts, MaskedSignal)
    assert counts.tolist() == [1, None, 3, 4, None]
    assert (counts.name, counts.unit, counts.sum()) == ("n", "1", 8)
    assert counts.t.tolist() == TIME.tolist()
    assert counts[1:3].t.tolist() == [0.1, 0.2]
    assert counts[1:3].unit == "1"
    assert (counts + 1).tolist() == [2, None, 4, 5, None]
    for computed in (counts + 1, np.add(counts, 1), -counts):
        assert computed.unit is None
        assert computed.name == "n"
        assert computed.t.tolist() == TIME.tolist()
    assert (counts[1:3] * 2).t.tolist() == [0.1, 0.2]
    assert counts[1] is np.ma.masked


COPIES = [lambda value: pickle.loads(pickle.dumps(value)), copy.deepcopy]  # noqa: S301


@pytest.mark.parametrize("duplicate", COPIES, ids=["pickle", "deepcopy"])
@pytest.mark.parametrize("values", [np.arange(5.0), np.ma.MaskedArray([1, 2, 3, 4, 5], [0, 1, 0, 0, 1])])
def test_copies_know_what_the_signal_knew(channel, values, duplicate):
    channel.add_signals({"n": values}, {"n": "V"})
    copied = duplicate(channel.n)
    assert type(copied) is type(channel.n)
    assert copied.tolist() == channel.n.tolist()
    assert (copied.name, copied.unit, copied.channel.name) == ("n", "V", "engine")
    assert copied.t.tolist() == TIME.tolist()
    assert copied.channel is not channel
    assert copied.channel.signal["n"] is copied
    copied[0] = 9
    assert channel.n[0] != 9
    part = duplicate(channel.n[1:3])
    assert (part.name, part.unit, part.t.tolist()) == ("n", "V", [0.1, 0.2])


@pytest.mark.parametrize("duplicate", COPIES, ids=["pickle", "deepcopy"])
def test_copies_of_a_channel_hold_copies_of_its_signals(channel, duplicate):
    copied = duplicate(channel)
    assert copied.w.channel is copied
    assert copied.w.shape == (5, 3)
    assert copied.v[2:].t.tolist() == channel.v[2:].t.tolist()


@pytest.mark.parametrize("duplicate", COPIES, ids=["pickle", "deepcopy"])
def test_copies_of_objects_and_of_nobodys_signals(duplicate):
    texts = duplicate(Signal(np.array(["a", None], object), "text"))
    assert (texts.tolist(), texts.name, texts.channel, texts.unit) == (["a", None], "text", None, None)


def test_ranges_of_time_beside_rows(voltage):
    assert voltage[1:3].tolist() == [1, 2]
    assert voltage["1970-01-01T00:00:00.1":"1970-01-01T00:00:00.3"].tolist() == [1, 2]
    assert voltage[np.datetime64(200, "ms") :].tolist() == [2, 3, 4]
    assert voltage.between(0.1, 0.3).t.tolist() == [0.1, 0.2]
    assert voltage[0.1:0.3].t.tolist() == [0.1, 0.2]
    assert voltage[1:].between(0.1, 0.2).tolist() == [1]
    assert voltage.between().unit == "V"
    with pytest.raises(ValueError, match="no step"):
        voltage["1970":"1971":2]


def test_ranges_of_masked_signals():
    channel = Channel.from_ns(
        "c", np.arange(3) * 10**9, {"n": np.ma.MaskedArray([1, 2, 3], [0, 1, 0])}, {"n": "A"}
    )
    part = channel.n["1970-01-01T00:00:01":]
    assert isinstance(part, MaskedSignal)
    assert part.tolist() == [None, 3]
    assert (part.unit, part.time_ns.tolist()) == ("A", [10**9, 2 * 10**9])


def test_exact_times(voltage):
    assert voltage[::2].time_ns.tolist() == [0, 200_000_000, 400_000_000]
    with pytest.raises(AttributeError, match="belongs to no channel"):
        _ = Signal(np.arange(3), "x").time_ns
