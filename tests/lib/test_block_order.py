import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.block_order import batches_of

blocks = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9), st.integers(1, 5)), max_size=30)


def batches(spans, records=4, size=1 << 24):
    low = np.array([low for low, _, _ in spans], np.int64)
    counts = np.array([count for _, _, count in spans], np.int64)
    return list(batches_of(low, counts, counts * 8, records, size))


def test_no_blocks_make_no_batch():
    assert batches([]) == []


@given(blocks)
def test_each_block_is_read_once(spans):
    numbers = [number for batch in batches(spans) for number in batch.blocks.tolist()]
    assert sorted(numbers) == list(range(len(spans)))


@given(blocks)
def test_nothing_to_come_is_older_than_what_is_settled(spans):
    found = batches(spans)
    for place, batch in enumerate(found):
        later = [spans[number] for after in found[place + 1 :] for number in after.blocks]
        assert batch.settled_ns == min((low for low, _, _ in later), default=None)
        assert (batch.blocks[1:] > batch.blocks[:-1]).all()


@given(blocks)
def test_batches_in_order_end_before_the_blocks_to_come_arrived(spans):
    found = batches(spans)
    seen: list[int] = []
    for place, batch in enumerate(found):
        seen += batch.blocks.tolist()
        later = [number for after in found[place + 1 :] for number in after.blocks.tolist()]
        assert batch.in_order == (not later or max(seen) < min(later))


@pytest.mark.parametrize(
    ("records", "size", "wanted"), [(10, 1 << 24, [2, 2]), (1 << 20, 80, [2, 2]), (1, 1, [1] * 4)]
)
def test_a_batch_is_full_by_records_or_by_bytes(records, size, wanted):
    found = batches([(n, 0, 5) for n in range(4)], records, size)
    assert [len(batch.blocks) for batch in found] == wanted
