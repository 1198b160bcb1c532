"""Real recordings, out of the packages that bring them, imported by the command, queried and plotted."""

import json
from importlib.util import find_spec
from pathlib import Path

import matplotlib
import numpy as np
import pandas
import pytest
import system

from speeddata import Client

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402


def folder_of(package: str) -> Path:
    """Where a package has its files; it is not imported."""
    found = find_spec(package)
    assert found is not None, f"the package {package} is not installed"
    assert found.origin is not None
    return Path(found.origin).parent


# What each is, where it lies, how it is read by pandas, and the signal that is looked at.
RECORDINGS = {
    "pulse": ("heartpy", "data/data3.csv", "datetime", "hr"),
    "gait": ("aeon", "datasets/data/Daphnet_S06R02E0/S06R02E0.csv", "timestamp", "ankle_horiz_fwd"),
    "temperature": ("vega_datasets", "_data/sf-temps.csv", "date", "temp"),
    "weather": ("vega_datasets", "_data/seattle-weather.csv", "date", "temp_max"),
}  # fmt: skip


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with system.run(tmp_path_factory.mktemp("recordings") / "data") as made:
        made.processes()
        yield made


@pytest.mark.parametrize("channel", RECORDINGS)
def test_a_recording_is_imported_queried_and_plotted(running, tmp_path, channel):
    package, place, time, heading = RECORDINGS[channel]
    path = folder_of(package) / place
    truth = pandas.read_csv(path)
    stamps = pandas.to_datetime(truth[time], format="ISO8601" if channel == "pulse" else None)
    api = f"http://127.0.0.1:{running.api_port}"
    options = ["--channel", channel, "--api", f"{api}/api/v1", "--state", str(tmp_path), "--json"]
    done = system.speeddata("import", str(path), *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["files"][0]["state"] == "imported"
    with Client(api, f"http://127.0.0.1:{running.pivot_port}") as client:
        assert heading in {one["signal"] for one in client.signals(channel)}
        start, end = stamps.min(), stamps.max() + pandas.Timedelta(1, "ns")
        raw = client.query(channel, signals=[heading], start=start, end=end).channel[channel]
        daily = client.query(
            channel,
            signals=[heading],
            start=start.floor("D"),
            end=end,
            every="1d",
            aggregates=["min", "max", "count"],
        )
    order = np.argsort(stamps.to_numpy(), kind="stable")
    assert raw.signal[heading].tolist() == truth[heading].to_numpy()[order].tolist()
    groups = truth.groupby(stamps.dt.floor("D"))[heading]
    days = daily.channel[channel]
    for how in ("min", "max", "count"):
        assert days.signal[f"{heading}.{how}"].tolist() == getattr(groups, how)().tolist()
    drawn = raw.signal[heading].plot()
    figure = drawn.figure if hasattr(drawn, "figure") else plt.gcf()
    figure.savefig(tmp_path / "plot.png")
    plt.close(figure)
    assert (tmp_path / "plot.png").stat().st_size > 5000


def imported(running, tmp_path, path, channel, *more):
    """Import a file; a client for what is there then."""
    api = f"http://127.0.0.1:{running.api_port}"
    options = ["--channel", channel, "--api", f"{api}/api/v1", "--state", str(tmp_path), "--quiet"]
    done = system.speeddata("import", str(path), *options, *more)
    assert done.returncode == 0, done.stdout + done.stderr
    return Client(api, f"http://127.0.0.1:{running.pivot_port}")


START = "2020-01-01T00:00:00Z"


def test_samples_without_times_come_at_a_rate(running, tmp_path):
    path = folder_of("heartpy") / "data" / "data.csv"
    truth = pandas.read_csv(path, header=None)[0]
    with imported(running, tmp_path, path, "pulse100", "--rate", "100", "--start", START) as client:
        found = client.query("pulse100", start=START, end="2020-01-02").channel["pulse100"]
    assert found.signal["column1"].tolist() == truth.tolist()
    assert (np.diff(found.time_ns) == 10**7).all()
    beat = found.signal["column1"].psd()
    assert 0.5 < beat.frequency[1:][np.argmax(beat.value[1:])] < 20


def test_a_timer_counts_from_where_it_is_told(running, tmp_path):
    path = folder_of("heartpy") / "data" / "data2.csv"
    truth = pandas.read_csv(path)
    with imported(running, tmp_path, path, "timer", "--start", START, "--time-unit", "ms") as client:
        found = client.query("timer", start=START, end="2020-01-02").channel["timer"]
    assert found.signal["hr"].tolist() == truth["hr"].tolist()
    wanted = pandas.Timestamp(START).value + (truth["timer"].to_numpy() * 1e6)
    assert np.abs(found.time_ns - wanted).max() < 1000


def series_of(path, width=None):
    """The series of a .ts file, one a line, a label behind it."""
    for line in path.read_text().splitlines():
        if line and line[0] not in "#@":
            values = np.array(line.rpartition(":")[0].split(","), float)
            assert width is None or len(values) == width
            yield values


def test_days_of_hours_are_ingested_and_their_profile_asked_for(running):
    path = folder_of("aeon") / "datasets/data/ItalyPowerDemand/ItalyPowerDemand_TEST.ts"
    days = np.array(list(series_of(path, 24)))
    hours = np.datetime64("2020-01-01", "ns") + np.arange(days.size) * np.timedelta64(1, "h")
    with Client(f"http://127.0.0.1:{running.api_port}", f"http://127.0.0.1:{running.pivot_port}") as client:
        table = pandas.DataFrame({"time": hours, "demand": days.ravel()})
        client.ingest(table, "demand", create=True)
        found = client.query(
            "demand", start="2020-01-01", end="2023-01-01", every="1d", aggregates=["min", "max", "avg"]
        ).channel["demand"]
    assert found.signal["demand.max"].tolist() == days.max(1).tolist()
    assert found.signal["demand.min"].tolist() == days.min(1).tolist()
    assert np.allclose(found.signal["demand.avg"], days.mean(1))


def test_waveforms_at_30_khz_keep_their_spectrum(running):
    path = folder_of("sktime") / "datasets/data/PLAID/PLAID_TRAIN.ts"
    wave = max(series_of(path), key=len)
    times = np.datetime64("2020-01-01", "ns") + (np.arange(len(wave)) * 1e9 / 30_000).astype(
        "timedelta64[ns]"
    )
    with Client(f"http://127.0.0.1:{running.api_port}", f"http://127.0.0.1:{running.pivot_port}") as client:
        client.ingest(pandas.DataFrame({"time": times, "current": wave}), "mains", create=True)
        found = client.query("mains", start="2020-01-01", end="2020-01-02").channel["mains"]
    assert found.signal["current"].tolist() == wave.tolist()
    spectrum = found.signal["current"].fft()
    wanted = np.abs(np.fft.rfft(wave))[1:]
    assert np.argmax(spectrum.value[1:]) == np.argmax(wanted)
    assert np.allclose(np.diff(spectrum.frequency), 30_000 / len(wave), rtol=1e-3)
