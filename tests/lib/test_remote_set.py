import history
import numpy as np
import pytest
import requests
import segments as made

import speeddata
from speeddata import Channel, Set, remote_http, remote_query, remote_set
from speeddata.remote_set import RemoteChannel
from speeddata.set_resample import is_null

COUNT = 5000
SCHEMA = made.SCHEMA | {
    "fields": [
        *made.SCHEMA["fields"],
        {"name": "level", "type": ["null", "long"]},
        {"name": "on", "type": "boolean"},
    ]
}
S = 10**9


def row(number):
    """Each millisecond, but for a hole; the level is null at times."""
    time = made.START + (number + (3_000_000 if number > 3000 else 0)) * 1_000_000
    return made.record(number, time, level=None if number % 3 == 0 else number, on=number % 2 == 0)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    rows = [row(number) for number in range(COUNT)]
    made.write_segment(folder / "engine", [rows[at : at + 500] for at in range(0, COUNT, 500)], SCHEMA)
    made.write_segment(folder / "pump", [made.records(10)])
    return folder


@pytest.fixture(scope="module")
def service(archive):
    with history.running(archive) as running:
        yield running


@pytest.fixture
def data(service):
    opened = speeddata.open(service.address)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def local(archive):
    (path,) = (archive / "engine").glob("*.avro")
    return speeddata.read_avro(path).engine


def fetched(channel):
    return channel._fetched is not None


def same(a, b, at=slice(None)):
    null = is_null(np.asarray(b) if b.dtype == object else b)[at]
    assert is_null(a)[at].tolist() == null.tolist()
    assert np.ma.getdata(a)[at][~null].tolist() == pytest.approx(np.ma.getdata(b)[at][~null].tolist())


def test_lists_and_fetches_nothing(data):
    assert sorted(data.channel) == ["engine", "pump"]
    assert "engine: 6 signals, not fetched yet" in repr(data) or "engine: 5 signals, not fetched yet" in repr(
        data
    )
    assert "voltage: double [V]" in repr(data.engine)
    assert "voltage" in dir(data.engine)
    assert not fetched(data.engine)
    with pytest.raises(AttributeError, match="channel 'engine' has no 'nosuch'; its signals are"):
        _ = data.engine.nosuch


def test_the_first_use_fetches_all_once(data, local):
    engine = data.engine
    assert engine.voltage.tolist() == local.voltage.tolist()
    assert fetched(engine)
    assert engine.voltage is engine.voltage
    assert engine.time_ns.tolist() == local.time_ns.tolist()
    assert engine.level.tolist() == local.level.tolist()
    assert engine.message[5] == "m5"
    assert engine.voltage.unit == "V"
    assert len(engine) == COUNT
    assert "5000 rows" in repr(engine)


def test_a_range_fetches_that_range(data, local):
    start = np.datetime64(made.START, "ns") + np.timedelta64(100, "ms")
    part = data.engine.between(start, start + np.timedelta64(50, "ms"))
    assert isinstance(part, RemoteChannel)
    assert not fetched(part)
    inner = part.between(start + np.timedelta64(40, "ms"))
    assert inner.counter.tolist() == list(range(140, 150))
    assert part.counter.tolist() == list(range(100, 150))
    assert data.engine[start : start + np.timedelta64(2, "ms")].counter.tolist() == [100, 101]
    assert part.between(None, start + np.timedelta64(1, "ms")).counter.tolist() == [100]
    both = data.between(start)
    assert len(both.pump) == 0
    assert both.engine.voltage.tolist() == local.between(start).voltage.tolist()


def test_chosen_signals(data):
    chosen = data.engine.choose("voltage")
    assert chosen.signal_names == ["voltage"]
    assert list(chosen.signal) == ["voltage"]
    with pytest.raises(KeyError, match="has no signal 'nosuch'"):
        data.engine.choose("nosuch")


@pytest.mark.parametrize(
    "how", ["mean", "min", "max", "first", "last", "count", "sum", "minmax", ["mean", "count"]]
)
@pytest.mark.parametrize("fill", ["null", "none"])
def test_resampled_by_the_service_as_here(data, local, how, fill):
    theirs = data.engine.resample("100s", how, fill)
    ours = local.resample("100s", how, fill)
    assert type(theirs) is Channel
    assert theirs.time_ns.tolist() == ours.time_ns.tolist()
    assert set(theirs.signal) == set(ours.signal)
    for name, signal in ours.signal.items():
        assert theirs.signal[name].unit == signal.unit
        if signal.dtype != object:
            same(theirs.signal[name]._plain(), signal._plain())
        else:
            assert theirs.signal[name].tolist() == signal.tolist()


def test_millions_of_empty_buckets_are_not_asked_for(data):
    with pytest.raises(ValueError, match=r"buckets of 1e-06 s for .*fill='none'"):
        data.engine.resample("1us")


def test_nobody_there_is_told(monkeypatch):
    monkeypatch.setattr(remote_http.time, "sleep", lambda _: None)
    with pytest.raises(requests.ConnectionError) as caught:
        speeddata.open("http://127.0.0.1:9")
    assert str(caught.value) == "the history service at http://127.0.0.1:9 does not answer"


def test_all_aggregates_of_a_range_are_asked_for_at_once(data, monkeypatch):
    asked = []

    def fetch(service, channel, params, **options):
        asked.append(params["aggregates"])
        return remote_query.fetch(service, channel, params, **options)

    monkeypatch.setattr(remote_set, "fetch", fetch)
    made = data.engine.choose("voltage", "level").resample("100s", ["mean", "min", "last"])
    assert asked == ["avg,min,last"]
    assert list(made.signal) == [
        f"{name}.{how}" for name in ("voltage", "level") for how in ("mean", "min", "last")
    ]


def test_a_set_is_used_as_any_other(data, tmp_path):
    assert data.pump.stats()["voltage"].count == 10
    assert data.pump.to_pandas().shape[0] == 10
    whole = Set({"pump": data.pump.load()})
    whole.to_hdf5(tmp_path / "pump.h5")
    assert speeddata.open(tmp_path / "pump.h5").pump.counter.tolist() == list(range(10))
    assert data.pump.resample("1s").counter.size == 1
    assert speeddata.align(data.pump, data.engine).signal["engine.counter"].tolist() == list(range(10))


def test_more_than_is_wanted_is_refused(service):
    with pytest.raises(ValueError, match="more than 100 records"):
        _ = speeddata.open(service.address, most=100).engine.voltage


def test_refresh_sees_what_came(data, archive):
    assert data.pump.counter.size == 10
    made.write_segment(archive / "pump", [made.records(5, 10)], start=made.START + S)
    assert data.pump.counter.size == 10
    data.refresh()
    assert data.pump.counter.size == 15


def test_what_cannot_be_opened_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"cannot tell what 'x\.txt' is"):
        speeddata.open("x.txt")
    (tmp_path / "a.csv").write_text("time,v\n1,2\n")
    assert speeddata.open(tmp_path / "a.csv").a.v.tolist() == [2]
