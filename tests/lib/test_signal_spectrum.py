import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from speeddata import align
from speeddata.channel import Channel
from speeddata.signal_spectrum import _round_step

RATE = 1000


def vibration(values, rate=RATE, unit="g"):
    times = np.rint(np.arange(len(values)) * (1e9 / rate)).astype(np.int64)
    return Channel.from_ns(
        "c",
        times,
        {"a": np.ma.asarray(values) if np.ma.is_masked(values) else np.asarray(values)},
        {"a": unit},
    ).a


@settings(deadline=None, max_examples=30)
@given(
    st.floats(0.1, 100), st.integers(1, 400), st.floats(-3, 3), st.sampled_from(["boxcar", "hann", "flattop"])
)
def test_amplitude_and_phase_of_a_sine(amplitude, frequency, phase, window):
    t = np.arange(1000) / RATE
    spectrum = vibration(amplitude * np.cos(2 * np.pi * frequency * t + phase)).fft(window)
    assert spectrum.frequency[frequency] == pytest.approx(frequency)
    if 5 < frequency < 395:  # where the window's main lobe meets no mirror
        assert spectrum.value[frequency] == pytest.approx(amplitude, rel=1e-6)
        assert spectrum.peak == pytest.approx((frequency, amplitude), rel=1e-6)
        assert np.cos(spectrum.phase[frequency]) == pytest.approx(np.cos(phase), abs=1e-6)


@pytest.mark.parametrize("count", [1000, 1001])
def test_ends_are_not_doubled(count):
    spectrum = vibration(np.full(count, 2.5)).fft()
    assert spectrum.value[0] == pytest.approx(2.5)
    assert len(spectrum.frequency) == count // 2 + 1
    alternating = vibration(np.where(np.arange(1000) % 2, -1.0, 1.0)).fft()
    assert alternating.value[-1] == pytest.approx(1)
    assert alternating.frequency[-1] == RATE / 2
    assert vibration(np.full(100, 2.5)).fft(detrend=True).value.max() == pytest.approx(0)


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 3000), st.sampled_from(["density", "spectrum"]), st.integers(0, 2**31))
def test_psd_is_welch(count, scaling, seed):
    values = np.random.default_rng(seed).normal(size=count)
    made = vibration(values).psd(scaling=scaling, segment=min(64, count))
    frequency, power = scipy.signal.welch(values, RATE, nperseg=min(64, count), scaling=scaling)
    np.testing.assert_allclose(made.frequency, frequency, rtol=1e-6)
    np.testing.assert_allclose(made.value, power, rtol=1e-6, atol=1e-15)


def test_integral_of_the_density_is_the_variance():
    values = np.random.default_rng(1).normal(scale=3, size=100_000)
    spectrum = vibration(values).psd()
    assert spectrum.value.sum() * spectrum.resolution == pytest.approx(9, rel=0.05)
    assert spectrum.unit == "g²/Hz"
    assert len(spectrum.frequency) == 8192 // 2 + 1
    assert vibration(values, unit="m/s").psd(scaling="spectrum").unit == "(m/s)²"
    assert vibration(values, unit=None).psd().unit == "1/Hz"
    assert vibration(values[:100]).psd().frequency.size == 51


def test_irregular_samples_are_refused():
    values = np.zeros(1000)
    times = np.arange(1000) * 1_000_000
    whole = Channel.from_ns("c", times, {"a": values})
    lost = whole.take(np.delete(np.arange(1000), 500))
    with pytest.raises(
        ValueError, match=r"not sampled regularly: .*every='1ms', how='linear'\), or resample\('1ms'\)"
    ):
        lost.a.fft()
    with pytest.raises(ValueError, match="not sampled regularly"):
        lost.a.psd()
    jitter = np.random.default_rng(1).integers(-40_000, 40_000, 1000)
    assert Channel.from_ns("c", times + jitter, {"a": values}).a.fft(tolerance=0.1).value.max() == 0
    assert lost.resample("1ms", "mean").a.size == 1000
    uneven = Channel.from_ns("c", 300_000 + times + 5 * jitter, {"a": values})
    assert align(uneven, every="1ms", how="linear")["c.a"].fft().value.max() == 0


@pytest.mark.parametrize(
    ("step_ns", "told"),
    [(50_000_860, "50ms"), (1e9, "1s"), (33_333_333, "33.3ms"), (100_000, "100us"), (1.5e9, "1.5s"), (7, "7ns"),
     (6e10, "60s"), (0.9999e9, "1s"), (12345, "12.3us")],
)  # fmt: skip
def test_a_round_step_is_proposed(step_ns, told):
    assert _round_step(step_ns) == told


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [([1.0], ValueError, "needs two"), ([1.0, np.nan, 3], ValueError, "1 of its values are null"),
     ([1.0, np.inf, 3], ValueError, "infinite"), (np.ma.MaskedArray([1, 2, 3], [0, 1, 0]), ValueError, "1 of its values"),
     (np.array(["a", "b"], object), TypeError, "wanted one row of numbers"), (np.zeros((3, 2)), TypeError, "one row")],
)  # fmt: skip
def test_what_has_no_spectrum(values, error, words):
    signal = vibration(values)
    with pytest.raises(error, match=words):
        signal.fft()
    with pytest.raises(error, match=words):
        signal.psd()


def test_other_mistakes():
    signal = vibration(np.zeros(100))
    with pytest.raises(ValueError, match="nosuch"):
        signal.fft("nosuch")
    with pytest.raises(ValueError, match="scaling must be"):
        signal.psd(scaling="dB")
    with pytest.raises(ValueError, match="segment must be from 2 to the 100"):
        signal.psd(segment=101)
    still = Channel.from_ns("c", [5, 5], {"a": [1.0, 2.0]})
    with pytest.raises(ValueError, match="do not ascend"):
        still.a.fft()
    assert "values [g]" in repr(signal.fft())
