"""Draws signals, channels and sets with matplotlib: units at the axes, times in UTC, no line across a gap."""

from typing import TYPE_CHECKING, Any

import numpy as np

from speeddata.set_extras import needed
from speeddata.set_times import gap_rows, time_order
from speeddata.table import Array

if TYPE_CHECKING:
    from speeddata.channel import Channel
    from speeddata.dataset import Set
    from speeddata.signal import Signal
    from speeddata.signal_spectrum import Spectrum

__all__ = ["plot_channel", "plot_set", "plot_signal", "plot_spectrum"]

HEIGHT, WIDTH = 2.2, 10.0  # inches of one signal


def plot_signal(signal: "Signal", ax: Any = None, **options: Any) -> Any:
    """See `Signal.plot`."""
    if signal.ndim != 1:
        raise TypeError(
            f"signal {signal.name!r} has the shape {signal.shape}; plot one column, such as signal[:, 0]"
        )
    ax = _axes(1)[0] if ax is None else ax
    times, values = _broken(signal)
    if signal.dtype.kind == "b" or signal.dtype == object:
        options = {"drawstyle": "steps-post"} | options
    ax.plot(times, values, **({"label": signal.name, "linewidth": 1.0} | options))
    ax.set_ylabel(f"{signal.name} [{signal.unit}]" if signal.unit else signal.name)
    ax.set_xlabel("UTC")
    ax.grid(visible=True, alpha=0.3)
    return ax


def plot_channel(channel: "Channel", *names: str, **options: Any) -> Any:
    """See `Channel.plot`."""
    return _plot(_chosen(channel, names), channel.name, options)


def plot_set(data: "Set", *names: str, **options: Any) -> Any:
    """See `Set.plot`."""
    signals = []
    for channel in data.channel.values():
        wanted = [
            name
            for name in (name.removeprefix(f"{channel.name}.") for name in names)
            if name in channel.signal
        ]
        if wanted or not names:
            signals += _chosen(channel, tuple(wanted))
    known = {signal.name for signal in signals} | {
        f"{signal.channel.name}.{signal.name}" for signal in signals
    }
    for name in names:
        if name not in known:
            raise KeyError(f"no signal {name!r} in the set")
    return _plot(signals, ", ".join(data.channel), options)


def plot_spectrum(spectrum: "Spectrum", ax: Any = None, *, log: bool, **options: Any) -> Any:
    """See `Spectrum.plot`."""
    ax = _axes(1)[0] if ax is None else ax
    ax.plot(spectrum.frequency, spectrum.value, **({"label": spectrum.name, "linewidth": 1.0} | options))
    if log and (spectrum.value > 0).any():
        ax.set_yscale("log")
    ax.set_xlabel("frequency [Hz]")
    ax.set_ylabel(f"{spectrum.name} [{spectrum.unit}]")
    ax.grid(visible=True, alpha=0.3)
    return ax


def _chosen(channel: "Channel", names: tuple[str, ...]) -> list[Any]:
    """The signals named, else all that can be drawn."""
    for name in names:
        if name not in channel.signal:
            raise KeyError(f"channel {channel.name!r} has no signal {name!r}")
    if names:
        return [channel.signal[name] for name in names]
    return [signal for signal in channel.signal.values() if signal.ndim == 1 and _can_draw(signal)]


def _can_draw(signal: "Signal") -> bool:
    return signal.dtype != object or all(value is None or isinstance(value, str) for value in signal[:100])


def _plot(signals: list[Any], title: str, options: dict[str, Any]) -> Any:
    if not signals:
        raise ValueError("there is no signal to plot")
    axes = _axes(len(signals))
    for signal, ax in zip(signals, axes, strict=True):
        plot_signal(signal, ax, **options)
        if ax is not axes[-1]:
            ax.set_xlabel("")
    axes[0].set_title(title)
    return axes


def _axes(count: int) -> Any:
    pyplot = needed("matplotlib.pyplot", "plot()")
    size = (WIDTH, max(3.0, HEIGHT * count))
    _, axes = pyplot.subplots(count, 1, sharex=True, squeeze=False, figsize=size, layout="constrained")
    return axes[:, 0]


def _broken(signal: "Signal") -> tuple[Array, Array]:
    """Times and values to draw, with a value that is not there after each gap."""
    values, time_ns = np.ma.getdata(signal._plain()), signal.time_ns
    mask = np.ma.getmaskarray(signal._plain())
    order = time_order(time_ns)
    if order is not None:
        values, time_ns, mask = values[order], time_ns[order], mask[order]
    if values.dtype == object:
        values = np.array(["" if value is None else str(value) for value in values], object)
        return time_ns.view("datetime64[ns]"), values
    gaps = gap_rows(time_ns)
    drawn = values.astype(np.float64)
    drawn[mask] = np.nan
    if len(gaps):
        drawn = np.insert(drawn, gaps + 1, np.nan)
        time_ns = np.insert(time_ns, gaps + 1, time_ns[gaps] + 1)
    return time_ns.view("datetime64[ns]"), drawn
