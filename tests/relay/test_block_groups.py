"""Which blocks are put together, and that a merged entry tells what a scan of the merged block would."""

from hypothesis import given
from hypothesis import strategies as st

from speeddata.index import FLAG_BAD_TIME, FLAG_UNSORTED, Entry, pack_entry
from speeddata.relay.block_groups import MANY, MERGED, block_groups, has_small_blocks, merged_entry


def entry(times: list[int], arrival: int = 0, flags: int = 0, length: int = 100) -> bytes:
    flags |= FLAG_UNSORTED * (times != sorted(times))
    told = Entry(0, length, len(times), times[0], min(times), max(times), arrival, flags, 0, 0)
    return pack_entry(told)


@given(st.lists(st.lists(st.integers(-50, 50), min_size=1, max_size=5), min_size=1, max_size=20))
def test_a_merged_entry_is_that_of_all_records(blocks: list[list[int]]) -> None:
    merged = merged_entry([entry(times, number) for number, times in enumerate(blocks)])
    times = [time for block in blocks for time in block]
    assert (merged.count, merged.first_ns) == (len(times), times[0])
    assert (merged.min_ns, merged.max_ns) == (min(times), max(times))
    assert bool(merged.flags & FLAG_UNSORTED) == (times != sorted(times))
    assert merged.arrival_ns == len(blocks) - 1


@given(st.lists(st.integers(30, 400), max_size=3000))
def test_small_blocks_are_put_together_in_their_order(lengths: list[int]) -> None:
    packed = [entry([n], length=length) for n, length in enumerate(lengths)]
    groups = block_groups(b"".join(packed))
    assert [one for group in groups for one in group] == packed
    assert has_small_blocks(b"".join(packed)) == (len(packed) >= MANY)
    if len(packed) >= MANY:
        assert len(groups) <= sum(lengths) // (MERGED - 400) + 1


def test_large_and_few_blocks_stay_as_they_are() -> None:
    for packed in ([entry([1])] * (MANY - 1), [entry([1], length=MERGED)] * 200):
        assert block_groups(b"".join(packed)) == [[one] for one in packed]


def test_a_block_with_impossible_times_stays_alone() -> None:
    packed = [entry([n], flags=FLAG_BAD_TIME * (n == 1000)) for n in range(2000)]
    assert [len(group) for group in block_groups(b"".join(packed))] == [1000, 1, 999]
