"""A signal: a numpy array that knows its name, its unit and its time."""

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from speeddata.set_times import is_stamp, rows_between
from speeddata.signal_spectrum import TOLERANCE, Spectrum, fft_of, psd_of
from speeddata.signal_stats import Stats, stats_of

if TYPE_CHECKING:
    from speeddata.channel import Channel

__all__ = ["MaskedSignal", "Signal"]


class Signal(np.ndarray[Any, Any]):
    """The values of a signal, one row a record.

    Slices keep their time: `s[10:20].t` has ten values; `s["2026-01-01T10:00":"2026-01-01T11:00"]` is a range of time.
    What is computed from a signal has no unit.
    """

    name: str
    channel: "Channel | None"
    unit: str | None
    # What this is a part of, and which rows of it; None: it is whole.
    _part: "tuple[Signal, Any] | None"

    def __new__(
        cls, value: Any, name: str = "", channel: "Channel | None" = None, unit: str | None = None
    ) -> "Signal":
        if isinstance(value, np.ma.MaskedArray):
            made: Signal = value.view(MaskedSignal)
        else:
            made = np.asarray(value).view(Signal)
        made.name, made.channel, made.unit, made._part = name, channel, unit, None
        return made

    def __array_finalize__(self, source: Any) -> None:
        self.name = getattr(source, "name", "")
        self.channel = getattr(source, "channel", None)
        self.unit = getattr(source, "unit", None)
        self._part = getattr(source, "_part", None)

    def __array_wrap__(self, array: Any, *args: Any) -> Any:
        out = super().__array_wrap__(array, *args)
        if isinstance(out, Signal):
            if out.ndim == 0:
                return out[()]
            out.unit = None
        return out

    def __getitem__(self, key: Any) -> Any:
        key = self._rows(key)
        out = super().__getitem__(key)
        if isinstance(out, Signal):
            out._part = self, key[0] if isinstance(key, tuple) and key else key
        return out

    def __reduce__(self) -> Any:
        return Signal, (self._plain(),), self._about()

    def __setstate__(self, state: Any) -> None:
        self.__dict__.update(state)

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Any:
        memo = {} if memo is None else memo
        copied = Signal(copy.deepcopy(self._plain(), memo))
        memo[id(self)] = copied  # before its channel is copied, which has it too
        copied.__dict__.update(copy.deepcopy(self._about(), memo))
        return copied

    def _plain(self) -> "np.ndarray[Any, Any]":
        """The values alone."""
        return self.view(np.ma.MaskedArray if isinstance(self, np.ma.MaskedArray) else np.ndarray)

    def _about(self) -> dict[str, Any]:
        """What the values alone do not tell."""
        return {"name": self.name, "channel": self.channel, "unit": self.unit, "_part": self._part}

    def _rows(self, key: Any) -> Any:
        """A key that is a range of time as rows; any other as it is."""
        if isinstance(key, slice) and (is_stamp(key.start) or is_stamp(key.stop)):
            if key.step is not None:
                raise ValueError(f"a range of time has no step, not {key.step!r}; see resample()")
            return rows_between(self.time_ns, key.start, key.stop)
        return key

    @property
    def t(self) -> "np.ndarray[Any, Any]":
        """The time of each row in seconds."""
        return self._times("time")

    @property
    def time_ns(self) -> "np.ndarray[Any, Any]":
        """The time of each row in ns since 1970 UTC, int64."""
        return self._times("time_ns")

    def _times(self, notation: str) -> "np.ndarray[Any, Any]":
        if self._part is not None:
            time: np.ndarray[Any, Any] = self._part[0]._times(notation)[self._part[1]]
        elif self.channel is not None:
            time = getattr(self.channel, notation)
        else:
            raise AttributeError(f"signal {self.name!r} belongs to no channel, so it has no time")
        if np.shape(time)[:1] != self.shape[:1]:
            raise ValueError(
                f"the rows of this array are no longer those of signal {self.name!r}: it has no time"
            )
        return time

    def between(self, start: Any = None, end: Any = None) -> Any:
        """The values of [start, end), a view with its time; bounds are as `Channel.between` takes them."""
        return self[rows_between(self.time_ns, start, end)]

    def resample(self, every: Any, how: str | Sequence[str] = "mean", fill: str = "null") -> Any:
        """One value for each bucket of time; a Channel where `how` is several aggregates or `minmax`.

        As `Channel.resample`, but an aggregate that the type does not have is a TypeError.
        """
        made = self._alone().resample(every, how, fill)
        if not made.signal:
            raise TypeError(
                f"signal {self.name!r} is of {self.dtype}, which has no {how}; wanted first, last or count"
            )
        return made.signal[self.name] if set(made.signal) == {self.name} else made

    def stats(self) -> Stats:
        """Count, nulls, min, max, mean, std, median, rate in records a second, gaps: see `Stats` for the rules."""
        return stats_of(self)

    def fft(self, window: Any = "boxcar", *, detrend: bool = False, tolerance: float = TOLERANCE) -> Spectrum:
        """The one-sided amplitude spectrum, by scipy.fft.rfft: a sine of amplitude 3 V at a frequency of it gives 3 V there.

        Amplitudes are in the unit of the signal: those between 0 Hz and half the rate are doubled for their part at negative
        frequencies, and all are divided by the sum of the window (its coherent gain). `window` is what
        scipy.signal.get_window takes ("hann", ("kaiser", 8.6) ...); the default leaves the samples as they are. `detrend`
        takes the mean off first. For n samples there are n // 2 + 1 frequencies, rate / n apart.

        Samples must be regular: none further than `tolerance` (of a step) from where it should be, none null. Else a
        ValueError that tells what to do. TypeError where it is not one row of numbers.
        """
        return fft_of(self, window, detrend, tolerance)

    def psd(
        self,
        window: Any = "hann",
        segment: int | None = None,
        overlap: int | None = None,
        *,
        detrend: Any = "constant",
        scaling: str = "density",
        tolerance: float = TOLERANCE,
    ) -> Spectrum:
        """The one-sided power spectral density by Welch's method, scipy.signal.welch.

        (P. Welch, "The use of the fast Fourier transform for the estimation of power spectra", IEEE Trans. Audio
        Electroacoust. 15, 1967.) In V²/Hz for a signal in V; `scaling="spectrum"` gives the power of each frequency in V².
        The mean of segments of `segment` samples (default: a power of two of at most an eighth of all, but 256 or all
        if fewer) that overlap by `overlap` samples (default: half), each less its mean (`detrend`: "constant",
        "linear", False) and under `window`, whose power gain is taken back. The integral over the frequency is the
        variance. Samples must be regular, as `fft` has it.
        """
        return psd_of(self, window, segment, overlap, detrend, scaling, tolerance)

    def plot(self, ax: Any = None, **options: Any) -> Any:
        """Draw the signal over its time in UTC with matplotlib; gives the axes, new ones unless they are given.

        The line is broken at gaps (a step in time of more than 5 times the median one) and at values that are not
        there; booleans and text are drawn in steps. Options are those of matplotlib's Axes.plot.
        """
        from speeddata.set_plot import plot_signal

        return plot_signal(self, ax, **options)

    def to_pandas(self) -> Any:
        """A pandas.Series with its UTC time as index; see `Channel.to_pandas`."""
        frame = self._alone().to_pandas()
        series = frame[self.name]
        series.attrs = {"unit": self.unit} if self.unit else {}
        return series

    def to_polars(self) -> Any:
        """A polars.DataFrame of `time` and the signal."""
        return self._alone().to_polars()

    def to_arrow(self) -> Any:
        """A pyarrow.Table of `time` and the signal."""
        return self._alone().to_arrow()

    def to_xarray(self) -> Any:
        """An xarray.DataArray over `time`, with its units."""
        made = self._alone().to_xarray()
        (name,) = made.data_vars
        return made[name]

    def _alone(self) -> "Channel":
        """A channel of this signal, or of this part of it."""
        from speeddata.channel import Channel

        name = self.channel.name if self.channel is not None else ""
        return Channel.from_ns(name, self.time_ns, {self.name: self._plain()}, {self.name: self.unit})


class MaskedSignal(np.ma.MaskedArray[Any, Any], Signal):
    """A signal of integers or booleans of which some are null."""

    # numpy.ma has its own of these.
    __reduce__ = Signal.__reduce__
    __setstate__ = Signal.__setstate__
    __deepcopy__ = Signal.__deepcopy__

    def __array_finalize__(self, source: Any) -> None:
        np.ma.MaskedArray.__array_finalize__(self, source)
        Signal.__array_finalize__(self, source)

    def _update_from(self, source: Any) -> None:
        """Take over what numpy.ma keeps in its computations."""
        super()._update_from(source)  # type: ignore[misc]
        if isinstance(source, Signal):
            self.name, self.channel, self._part = source.name, source.channel, source._part

    def __getitem__(self, key: Any) -> Any:
        key = self._rows(key)
        out = np.ma.MaskedArray.__getitem__(self, key)
        if isinstance(out, Signal):
            out.unit = self.unit
            out._part = self, key[0] if isinstance(key, tuple) and key else key
        return out
