"""Records validated and cut into blocks: by the walk's own verdict, at the borders of records."""

import pytest
from channels import EVERY, plan_of
from hypothesis import given
from hypothesis import strategies as st
from store_client import NUMBERED, rows
from twin import varint

from speeddata.errors import RecordError
from speeddata.plan import TIME_UNITS
from speeddata.relay.ingest_records import Records

PLAN = plan_of(NUMBERED)
ANY_UNIT = plan_of({"type": "record", "name": "r", "fields": [{"name": "time", "type": "long"}]})
NS, UNKNOWN = TIME_UNITS["ns"], 0


@given(st.integers(1, 300), st.integers(1, 2000))
def test_blocks_follow_each_other_and_hold_what_they_may(count: int, block_bytes: int) -> None:
    data = rows(0, count)
    records = Records(PLAN, b"head" + data + b"tail", 4, len(data), block_bytes, NS, 7)
    at = total = 0
    sizes = []
    for start, length, held in records.blocks():
        assert start == at
        assert length <= block_bytes or held == 1
        assert sum(PLAN.walk(data, at)[0] for _ in range(1)) <= length
        at, total = at + length, total + held
        sizes.append(length)
    assert (at, total, records.count) == (len(data), count, count)
    assert all(a + b > block_bytes for a, b in zip(sizes, sizes[1:], strict=False))


@given(st.integers(0, 50), st.integers(1, 12))
def test_the_first_bad_record_is_told(good: int, cut: int) -> None:
    data = rows(0, good) + rows(good, 1)[:-cut]
    with pytest.raises(RecordError) as caught:
        Records(PLAN, data, 0, len(data), 64, NS, 7)
    assert (caught.value.row, caught.value.reason) == (good, "short")  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("times", "unit", "bad"),
    [
        ([1_700_000_000], "s", 0),
        ([1_700_000_000_000], "ms", 0),
        ([0, 0, 1_700_000_000_000_000], "us", 0),
        ([-5, 1_700_000_000], "s", 0),
        ([0, -1], None, 2),
        ([1_700_000_000, 2**62], "s", 1),
    ],
)
def test_the_first_plausible_time_tells_the_unit(times: list[int], unit: str | None, bad: int) -> None:
    data = b"".join(map(varint, times))
    records = Records(ANY_UNIT, data, 0, len(data), 1 << 16, UNKNOWN, 7)
    assert (records.unit, records.bad_time) == (TIME_UNITS[unit] if unit else 0, bad)


def test_a_record_larger_than_a_block_has_one_of_its_own() -> None:
    plan = plan_of(
        {
            "type": "record",
            "name": "r",
            "fields": [{"name": "time", "type": "long"}, {"name": "b", "type": "bytes"}],
        }
    )
    one = varint(1_700_000_000) + varint(1000) + bytes(1000)
    records = Records(plan, one * 3, 0, 3 * len(one), 100, UNKNOWN, 7)
    assert [held for _, _, held in records.blocks()] == [1, 1, 1]


def test_what_is_outside_the_buffer_is_refused() -> None:
    with pytest.raises(IndexError):
        Records(PLAN, b"abc", 1, 3, 100, NS, 7)
    assert Records(plan_of(EVERY), b"", 0, 0, 100, NS, 7).count == 0
