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
