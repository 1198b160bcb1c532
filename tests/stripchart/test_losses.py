import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.stripchart.catalogue import Making
from speeddata.stripchart.losses import Loss, Losses
from speeddata.stripchart.relay_counts import Missing

SINGLE = Making()


def take(losses: Losses, *samples: tuple[int, float], lost: bool = False) -> list[int]:
    times = np.array([time for time, _ in samples], np.int64)
    return losses.take(times, np.array([number for _, number in samples], np.float64), lost).tolist()


def trusted(making: Making = SINGLE, step: int = 1) -> Losses:
    """After 20 samples without a loss: the last is number 19 * step at 19."""
    losses = Losses(making)
    for n in range(20):
        assert take(losses, (n, n * step)) == []
    return losses


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.lists(st.integers(1, 60), min_size=1))
def test_each_jump_is_told_once_however_samples_come(steps: list[int], sizes: list[int]) -> None:
    """Steps of 1 between each of the others, so that jumps are few."""
    numbers, expected = [19], []
    for step in steps:
        numbers += range(numbers[-1] + 1, numbers[-1] + 6)
        if step > 1:
            expected.append(Loss(numbers[-1], numbers[-1] + step, step - 1))
        numbers.append(numbers[-1] + step)
    losses, place = trusted(), 1
    while place < len(numbers):
        size = sizes[place % len(sizes)]
        take(losses, *((n, n) for n in numbers[place : place + size]))
        place += size
    assert losses.since(0) == expected
    assert losses.total == len(expected)


def test_the_place_and_the_span() -> None:
    losses = trusted()
    assert take(losses, (20, 20), (25, 24), (26, 25)) == [1]
    assert losses.since(0) == [Loss(20, 25, 3)]
    assert losses.since(1) == []


def test_what_is_late_is_no_loss() -> None:
    losses = trusted()
    assert take(losses, (20, 20), (21, 21), (22, 22)) == []
    assert take(losses, (15, 17), (23, 23)) == []
    assert take(losses, (24, 24), (16, math.nan), (25, 25)) == []
    assert losses.total == 0


def test_another_beginning_is_no_loss_and_what_follows_it_is_judged() -> None:
    losses = trusted()
    take(losses, *((n, n) for n in range(20, 100)))
    assert take(losses, (100, 0), (101, 1), (102, 5)) == [2]
    assert take(losses, (103, 2e12), (104, 2e12 + 1)) == []
    assert losses.since(0) == [Loss(101, 102, 3)]


def test_sources_that_number_on_their_own_tell_nothing() -> None:
    losses = Losses(SINGLE)
    for n in range(0, 400, 4):
        assert take(losses, (n, n), (n + 1, 5000 + n), (n + 2, n + 1), (n + 3, 9000 + n)) == []
    assert losses.total == 0


def test_buckets_of_several_records_tell_nothing_and_lone_records_do() -> None:
    making = Making(bucket_ns=20, has_pairs=True, sequence_step=1)
    fast = Losses(making)
    for n in range(50):
        assert take(fast, (20 * n, 20 * n + 19), (20 * n, 20 * n + 19)) == []
    slow = trusted(making)
    assert take(slow, (20, 20), (40, 22), (60, 23)) == [1]
    assert slow.since(0) == [Loss(20, 40, 1)]


@pytest.mark.parametrize("step", [1, 10])
def test_every_nth_record_goes_on_by_n(step: int) -> None:
    losses = trusted(Making(sequence_step=step), step)
    assert take(losses, (20, 20 * step), (21, 21 * step + 2)) == [1]
    assert losses.since(0) == [Loss(20, 21, 2)]


def test_what_the_kernel_threw_away_is_of_unknown_number() -> None:
    losses = Losses(Making(sequence_step=None))
    assert take(losses, (5, 1), lost=True) == []
    assert take(losses, (9, 9), (10, 10), lost=True) == [0]
    assert losses.since(0) == [Loss(5, 9, None)]


def test_a_thousand_are_kept() -> None:
    losses = Losses(Making(sequence_step=None))
    for n in range(1500):
        take(losses, (n, n), lost=True)
    assert losses.total == 1499
    assert len(losses.since(0)) == 1000
    assert losses.since(1498) == [Loss(1498, 1499, None)]


def test_what_the_relay_lost_is_told_where_the_stream_cannot_show_it() -> None:
    buckets = Losses(Making(25_000_000, has_pairs=True))
    for n in range(40):
        take(buckets, (n, 10 * n), (n, 10 * n + 9))
    second, late = 10**9, 100_000_000
    buckets.lose(5 * second, Missing(7, False, second))
    assert buckets.since(0) == [Loss(4 * second - late, 5 * second + late, 7)]
    by_itself = trusted()
    by_itself.lose(5 * second, Missing(7, True, second))
    assert by_itself.total == 0, "it sees for itself what is missing"


def test_nobody_knows_how_many_records_were_in_packets_without_numbers() -> None:
    plain = Losses(SINGLE)
    plain.take(np.arange(5), None, False)
    plain.lose(10**9, Missing(3, False, 10**9))
    assert plain.total == 0, "numbers of what is none of its signals"
    plain.lose(10**9, Missing(0, True, 10**9))
    assert [loss.count for loss in plain.since(0)] == [None]
