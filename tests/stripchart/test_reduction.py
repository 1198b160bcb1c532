import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from speeddata.stripchart.reduction import keep

VALUES = st.one_of(st.floats(width=32), st.just(float("nan")))


@given(st.lists(VALUES, max_size=400), st.integers(8, 64))
def test_no_peak_is_lost_and_no_more_than_the_limit_is_kept(values: list[float], limit: int) -> None:
    array = np.array(values, np.float64)
    kept = keep(array, limit)
    assert len(kept) <= max(limit, 0)
    assert list(kept) == sorted(set(kept))
    if len(array) and not np.isnan(array).all():
        assert np.nanmin(array[kept]) == np.nanmin(array)
        assert np.nanmax(array[kept]) == np.nanmax(array)


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_break_stays(length: int, position: int) -> None:
    array = np.arange(length + 1, dtype=np.float64)
    array[min(position, length)] = np.nan
    assert np.isnan(array[keep(array, 32)]).any()


def test_few_samples_are_all_kept() -> None:
    assert list(keep(np.arange(10.0), 10)) == list(range(10))


def test_first_and_last_stay() -> None:
    kept = keep(np.zeros(1000), 16)
    assert kept[0] == 0
    assert kept[-1] == 999
