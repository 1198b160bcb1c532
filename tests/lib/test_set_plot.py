import matplotlib as mpl
import numpy as np
import pytest

mpl.use("agg")

from matplotlib import pyplot  # noqa: E402

from speeddata.channel import Channel  # noqa: E402
from speeddata.dataset import Set  # noqa: E402

S = 10**9


@pytest.fixture
def channel():
    times = 1_735_689_600 * S + np.array([0, 1, 2, 60, 61]) * S
    return Channel.from_ns(
        "engine", times,
        {"v": np.arange(5.0), "n": np.ma.MaskedArray(np.arange(5), [0, 1, 0, 0, 0]), "on": [True, False, True, True, False],
         "text": np.array(["a", "b", None, "a", "b"], object), "w": np.zeros((5, 2))}, {"v": "V"},
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _closed():
    yield
    pyplot.close("all")


def test_no_line_across_a_gap_or_a_null(channel):
    line = channel.v.plot().lines[0]
    assert np.isnan(line.get_ydata()).tolist() == [False] * 3 + [True] + [False] * 2
    assert np.isnan(channel.n.plot().lines[0].get_ydata()).tolist() == [
        False,
        True,
        False,
        True,
        False,
        False,
    ]
    assert line.get_xdata().dtype == "datetime64[ns]"


def test_units_and_utc(channel):
    ax = channel.v.plot(color="red")
    assert ax.get_ylabel() == "v [V]"
    assert ax.get_xlabel() == "UTC"
    assert ax.lines[0].get_color() == "red"
    assert channel.n.plot(ax) is ax
    assert channel.on.plot().lines[0].get_drawstyle() == "steps-post"


def test_all_that_can_be_drawn(channel):
    axes = channel.plot()
    assert [ax.get_ylabel() for ax in axes] == ["v [V]", "n", "on", "text"]
    assert axes[0].get_title() == "engine"
    axes[0].figure.canvas.draw()
    assert len(channel.plot("n")) == 1
    assert len(Set({"engine": channel}).plot("engine.v", "n")) == 2
    channel.v[:0].plot().figure.canvas.draw()
    assert channel.v.fft(tolerance=100).plot().get_ylabel() == "v [V]"


def test_what_cannot_be_drawn_is_told(channel):
    with pytest.raises(KeyError, match="no signal 'x'"):
        channel.plot("x")
    with pytest.raises(KeyError, match="no signal 'x' in the set"):
        Set({"engine": channel}).plot("v", "x")
    with pytest.raises(TypeError, match="plot one column"):
        channel.w.plot()
    with pytest.raises(ValueError, match="no signal to plot"):
        Channel(name="e").plot()
