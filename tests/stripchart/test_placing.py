import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from speeddata.stripchart.placing import TOLERANCE_NS, Placing

S = 1_000_000_000
NOW = 1_800_000_000 * S


def is_borderline(time: int) -> bool:
    """Whether a time is so near to the farthest possible one that floating point decides."""
    return abs(abs(time - NOW) - 2**62) <= 4096


def place(placing: Placing, *times: int, now: int = NOW) -> list[int]:
    return placing.place(np.array(times), np.zeros(len(times), bool), now).tolist()


def test_right_times_stay() -> None:
    placing = Placing()
    times = [NOW - 3 * S, NOW - S, NOW]
    assert place(placing, *times) == times
    assert (placing.skew_ns, placing.bad_time) == (0, 0)


def test_a_wrong_clock_is_shifted_and_told() -> None:
    placing = Placing()
    assert place(placing, NOW - 3600 * S) == [NOW]
    assert place(placing, NOW - 3599 * S, now=NOW + S + 1000) == [NOW + S]
    assert (placing.skew_ns, placing.steps) == (-3600 * S, 1)


def test_a_clock_that_is_put_right_is_believed() -> None:
    placing = Placing()
    place(placing, NOW + 100 * S)
    assert placing.skew_ns == 100 * S
    assert place(placing, NOW + S, now=NOW + S) == [NOW + S]
    assert placing.skew_ns == 0


def test_what_comes_late_is_not_shifted() -> None:
    placing = Placing()
    place(placing, NOW)
    for late in range(1, 10):
        assert place(placing, NOW + late * S, now=NOW + (late + 8) * S) == [NOW + late * S]
    assert place(placing, NOW + 18 * S, now=NOW + 18 * S) == [NOW + 18 * S]
    assert placing.steps == 0


def test_what_stays_late_has_a_wrong_clock() -> None:
    placing = Placing()
    for n in range(20):
        place(placing, NOW + n * S, now=NOW + n * S + (8 * S if n else 0))
    assert (placing.skew_ns, placing.steps) == (-8 * S, 1)


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_time_is_placed(time: int) -> None:
    assume(not is_borderline(time))
    placing = Placing()
    (placed,) = place(placing, time)
    assert NOW - 5 * S <= placed <= NOW + 5 * S
    assert placing.bad_time == (abs(time - NOW) > 2**62)


def test_one_wild_sample_stands_at_its_arrival() -> None:
    placing = Placing()
    assert place(placing, NOW - S, 5, NOW + 1000 * S, NOW) == [NOW - S, NOW, NOW, NOW]
    assert (placing.skew_ns, placing.bad_time) == (0, 2)


def test_samples_of_a_minute_at_once_keep_their_times() -> None:
    times = [NOW - n * S for n in range(60, 0, -1)]
    assert place(Placing(), *times) == times


def test_impossible_times_stand_at_their_arrival() -> None:
    placing = Placing()
    placed = placing.place(np.array([0, NOW]), np.array([True, False]), NOW + 1)
    assert placed.tolist() == [NOW + 1, NOW]
    assert placing.bad_time == 1


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=5))
def test_every_sample_stands_within_the_ring(times: list[int]) -> None:
    assume(not any(map(is_borderline, times)))
    placing = Placing()
    placed = place(placing, *times)
    assert all(NOW - 601 * S <= time <= NOW + 2 * S for time in placed)
    good = [time for time in times if abs(time - NOW) <= 2**62]
    assert not good or abs(good[-1] - NOW - placing.skew_ns) <= TOLERANCE_NS or placing.skew_ns == 0
