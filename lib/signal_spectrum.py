"""Spectra of a signal: amplitudes by the Fourier transform, and power densities by Welch's method.

Both are made by scipy and need samples at equal distances: what is not regular is refused, never guessed.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from speeddata.set_extras import needed
from speeddata.set_resample import is_null
from speeddata.table import Array
from speeddata.times import SCALES

if TYPE_CHECKING:
    from speeddata.signal import Signal

__all__ = ["TOLERANCE", "Spectrum", "fft_of", "psd_of"]

TOLERANCE = 0.05  # of a step: how far a sample may be from where it should be
NEAR = 0.005  # of a step: how much a round one may differ that is proposed
SHORTEST, PARTS = 256, 8  # a segment of Welch's method: at least so many samples, at most such a part of them


@dataclass(frozen=True, eq=False)
class Spectrum:
    """One value for each frequency, from 0 Hz to half the sampling rate.

    `frequency` (float64, Hz, ascending) and `value` (float64, in `unit`) are as long as each other, and so is `phase`
    (radians of a cosine at the first sample; only `fft` has it). `resolution` is the distance of two frequencies in Hz.
    """

    name: str
    frequency: Array
    value: Array
    unit: str
    phase: Array | None = None

    @property
    def resolution(self) -> float:
        return float(self.frequency[1] - self.frequency[0]) if len(self.frequency) > 1 else 0.0

    @property
    def peak(self) -> tuple[float, float]:
        """Frequency and value of the largest one, that at 0 Hz aside."""
        place = 1 + int(np.argmax(self.value[1:]))
        return float(self.frequency[place]), float(self.value[place])

    def plot(self, ax: Any = None, *, log: bool = True, **options: Any) -> Any:
        """Draw the values over the frequency with matplotlib; gives the axes. `log`: values on a logarithmic scale."""
        from speeddata.set_plot import plot_spectrum

        return plot_spectrum(self, ax, log=log, **options)

    def __repr__(self) -> str:
        span = f"{self.frequency[0]:g} to {self.frequency[-1]:g} Hz" if len(self.frequency) else "nothing"
        return f"{self.name}: {len(self.frequency)} values [{self.unit}], {span} in steps of {self.resolution:g} Hz"


def fft_of(signal: "Signal", window: Any, detrend: bool, tolerance: float) -> Spectrum:
    """See `Signal.fft`."""
    scipy_fft, windows = needed("scipy.fft", "fft()"), needed("scipy.signal", "fft()")
    values, rate = _regular(signal, tolerance)
    count = len(values)
    weights = windows.get_window(window, count)
    spectrum = scipy_fft.rfft((values - values.mean() if detrend else values) * weights)
    amplitude = np.abs(spectrum) / weights.sum()
    # A real signal has half of each amplitude at the negative frequency; 0 Hz and half the rate have none.
    amplitude[1 : -1 if count % 2 == 0 else None] *= 2
    return Spectrum(
        signal.name, scipy_fft.rfftfreq(count, 1 / rate), amplitude, signal.unit or "1", np.angle(spectrum)
    )


def psd_of(
    signal: "Signal",
    window: Any,
    segment: int | None,
    overlap: int | None,
    detrend: Any,
    scaling: str,
    tolerance: float,
) -> Spectrum:
    """See `Signal.psd`."""
    if scaling not in ("density", "spectrum"):
        raise ValueError(f"scaling must be 'density' or 'spectrum', not {scaling!r}")
    welch = needed("scipy.signal", "psd()").welch
    values, rate = _regular(signal, tolerance)
    if segment is None:
        segment = min(
            len(values),
            max(SHORTEST, 1 << ((len(values) // PARTS).bit_length() - 1) if len(values) >= PARTS else 0),
        )
    if not 2 <= segment <= len(values):
        raise ValueError(f"segment must be from 2 to the {len(values)} samples there are, not {segment}")
    frequency, power = welch(
        values, rate, window=window, nperseg=segment, noverlap=overlap, detrend=detrend, scaling=scaling,
        return_onesided=True,
    )  # fmt: skip
    unit = f"{_squared(signal.unit)}/Hz" if scaling == "density" else _squared(signal.unit)
    return Spectrum(signal.name, frequency, power, unit)


def _squared(unit: str | None) -> str:
    if not unit:
        return "1"
    return f"{unit}²" if unit.isalpha() or unit in ("°C", "%", "°") else f"({unit})²"


def _regular(signal: "Signal", tolerance: float) -> tuple[Array, float]:
    """The values as float64 and their rate in Hz; ValueError when they are not regular, or some are not there."""
    values, time_ns = signal._plain(), signal.time_ns
    if values.ndim != 1 or values.dtype.kind not in "iufb":
        raise TypeError(
            f"signal {signal.name!r} is {values.dtype} of shape {values.shape}, wanted one row of numbers"
        )
    if len(values) < 2:
        raise ValueError(f"signal {signal.name!r} has {len(values)} samples, a spectrum needs two and more")
    nulls = int(np.count_nonzero(is_null(values)))
    wide = np.ma.getdata(values).astype(np.float64)
    if nulls or not np.isfinite(wide).all():
        found = f"{nulls} of its values are null or NaN" if nulls else "some of its values are infinite"
        raise ValueError(
            f"signal {signal.name!r}: {found}; take a range without, or fill them: align(channel, every=..., how='linear')"
        )
    step = (int(time_ns[-1]) - int(time_ns[0])) / (len(time_ns) - 1)
    if step <= 0:
        raise ValueError(f"the times of signal {signal.name!r} do not ascend; sort it first")
    off = np.abs((time_ns - time_ns[0]) - np.arange(len(time_ns)) * step) / step
    worst = int(np.argmax(off))
    if off[worst] > tolerance:
        wanted = _round_step(float(np.median(np.diff(time_ns))))
        raise ValueError(
            f"signal {signal.name!r} is not sampled regularly: sample {worst} is {off[worst]:.3g} steps from where it should "
            f"be, tolerance {tolerance:g}. Bring it to even times first: align(channel, every='{wanted}', how='linear'), or "
            f"resample('{wanted}') where each bucket has a record; or take a range without gaps"
        )
    return wide, 1e9 / step


def _round_step(step_ns: float) -> str:
    """A step in as few digits as tell it within half a percent, such as 50ms for 50.00086 ms."""
    for digits in range(1, 10):
        rounded = float(f"{step_ns:.{digits}g}")
        if abs(rounded - step_ns) <= NEAR * step_ns:
            break
    unit, scale = next((one for one in SCALES.items() if rounded >= one[1]), ("ns", 1))
    return f"{rounded / scale:g}{unit}"
