import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from speeddata.stripchart.columns import reduce

VALUES = st.sampled_from([math.nan, -2.0, -1.0, 0.0, 1.0, 2.0, 3.5])
SAMPLES = st.lists(st.tuples(st.integers(-60, 60), VALUES, VALUES), max_size=40)


def by_hand(samples: list[tuple[int, float]], width: int, start: int) -> dict[int, tuple[object, ...]]:
    """The columns of one signal, sample by sample."""
    found: dict[int, list[float]] = {}
    broken: dict[int, bool] = {}
    before = math.nan
    for time, value in samples:
        own = found.setdefault(time // width, [])
        if not math.isnan(value):
            broken.setdefault(time // width, math.isnan(before))
            own.append(value)
        before = value
    return {
        number: (own[0], min(own), max(own), own[-1], len(own), broken[number]) if own else (None, 0)
        for number, own in found.items()
        if number >= start
    }


@given(SAMPLES, st.integers(1, 30), st.integers(-10, 10))
def test_columns_are_those_made_sample_by_sample(
    samples: list[tuple[int, float, float]], width: int, start: int
) -> None:
    samples.sort(key=lambda sample: sample[0])
    times = np.array([time for time, _, _ in samples], np.int64)
    values = np.array([[a for _, a, _ in samples], [b for _, _, b in samples]]).reshape(2, -1)
    made = reduce(times, values, width, start)
    for row in range(2):
        expected = by_hand([(sample[0], sample[1 + row]) for sample in samples], width, start)
        parts = (made.first, made.min, made.max, made.last, made.counts, made.broken)
        found = {
            int(number): tuple(part[row, place].item() for part in parts)
            if made.counts[row, place]
            else (None if np.isnan(made.min[row, place]) else "a value", int(made.counts[row, place]))
            for place, number in enumerate(made.numbers)
        }
        assert found == expected


def test_some_columns_can_be_taken() -> None:
    made = reduce(np.arange(10), np.arange(10.0)[None], 2, 0)
    some = made.take(np.isin(made.numbers, [1, 4]))
    assert (some.numbers.tolist(), some.max.tolist(), some.counts.tolist()) == ([1, 4], [[3, 9]], [[2, 2]])


def test_no_signal_has_columns_all_the_same() -> None:
    made = reduce(np.arange(10), np.empty((0, 10)), 5, 0)
    assert (made.numbers.tolist(), made.min.shape) == ([0, 1], (0, 2))
