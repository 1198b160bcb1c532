import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from speeddata.stripchart.pairs import arrange

BUCKETS = st.lists(st.tuples(st.booleans(), st.integers(-5, 5), st.integers(0, 5)), max_size=20)


def by_hand(times: list[int], values: list[float], before: float) -> tuple[list[float], float]:
    found, place, has_pair = list(values), 1, False
    while place < len(times):
        if times[place] != times[place - 1]:
            place += 1
            continue
        low, high = values[place - 1 : place + 1]
        if (low + high) / 2 < before:
            found[place - 1 : place + 1] = [high, low]
        before, has_pair = (low + high) / 2, True
        place += 2
    return found, before if has_pair else math.nan


@given(BUCKETS, st.just(math.nan) | st.floats(-5, 5), st.integers(0, 4))
def test_pairs_are_passed_as_the_trace_goes(
    buckets: list[tuple[bool, int, int]], before: float, step: int
) -> None:
    times: list[int] = []
    values: list[float] = []
    for number, (is_pair, low, more) in enumerate(buckets):
        times += [number * step] * (1 + is_pair)
        values += [low, low + more][: 1 + is_pair]
    stamps, found = np.array(times, np.int64), np.array([values, values]).reshape(2, -1)
    middles = np.array([before, before])
    arrange(stamps, found, middles)
    expected, after = by_hand(times, values, before)
    assert found.tolist() == [expected, expected]
    assert middles.tolist() == [after, after] or math.isnan(after) and np.isnan(middles).all()


def test_a_signal_that_falls_has_its_maximum_first() -> None:
    times = np.array([1, 1, 2, 2, 3, 3])
    values = np.array([[5.0, 6.0, 3.0, 5.0, 3.0, 8.0], [0.0, 1.0, math.nan, math.nan, 1.0, 2.0]])
    arrange(times, values, np.array([math.nan, math.nan]))
    assert values[0].tolist() == [5, 6, 5, 3, 3, 8]
    assert values[1, 4:].tolist() == [1, 2]


def test_values_at_the_ends_of_doubles_have_a_middle_or_none() -> None:
    values = np.array([[1e308, 1.7e308, -math.inf, math.inf, 0.0, 1.0]])
    middles = np.array([0.0])
    arrange(np.array([1, 1, 2, 2, 3, 3]), values, middles)
    assert values.tolist() == [[1e308, 1.7e308, -math.inf, math.inf, 0.0, 1.0]]
    assert middles.tolist() == [0.5]
