import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from speeddata.stripchart.classes import BASE_NS, COLUMNS_PER_S_MAX, is_raw, width_ns

MS = 1_000_000


@given(st.floats(1e-3, COLUMNS_PER_S_MAX), st.none() | st.integers(1, 10**10))
def test_the_narrowest_width_of_its_family(columns_per_s: float, bucket: int | None) -> None:
    width, wanted = width_ns(columns_per_s, bucket), 1e9 / columns_per_s
    base = bucket or BASE_NS
    large, small = max(width, base), min(width, base)
    assert large % small == 0
    assert (large // small).bit_count() == 1
    assert width >= wanted
    assert bucket is None or width >= bucket
    assume(width != bucket)
    assert width / 2 < wanted or width % 2


@given(st.lists(st.floats(1e-3, COLUMNS_PER_S_MAX), min_size=2, max_size=9))
def test_classes_are_few_and_each_is_made_of_whole_narrower_ones(asked: list[float]) -> None:
    widths = sorted({width_ns(one, 20 * MS) for one in asked})
    for narrow, wide in zip(widths, widths[1:], strict=False):
        assert wide % narrow == 0


@pytest.mark.parametrize(
    ("columns_per_s", "bucket", "width"),
    [
        (20, 20 * MS, 80 * MS),
        (50, 20 * MS, 20 * MS),
        (1000, 20 * MS, 20 * MS),
        (1000, None, 1_250_000),
        (10, None, 160 * MS),
    ],
)
def test_widths(columns_per_s: float, bucket: int | None, width: int) -> None:
    assert width_ns(columns_per_s, bucket) == width


def test_few_samples_are_sent_as_they_are() -> None:
    assert not is_raw(20 * MS, None)
    assert is_raw(20 * MS, 10 * MS)
    assert not is_raw(20 * MS, 10 * MS - 1)
    assert is_raw(20 * MS, 5 * MS, is_now=True)
    assert not is_raw(20 * MS, 5 * MS - 1, is_now=True)
