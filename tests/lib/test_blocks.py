import struct

import pytest
import segments as made
from hypothesis import given
from hypothesis import strategies as st

from speeddata.blocks import ENTRY_SIZE, Scanner, cover, crc32c, gather
from speeddata.container import plan_of
from speeddata.index import FLAG_BAD_TIME, FLAG_UNSORTED, entries_of

PLAN = plan_of(__import__("json").dumps(made.SCHEMA))


def entry(offset: int, length: int, count: int = 1) -> bytes:
    body = struct.pack("<QIIqqqqII", offset, length, count, 0, 0, 0, 0, 0, 0)
    return body + struct.pack("<II", crc32c(body), 0)


def test_crc32c_is_castagnoli():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"") == 0
    assert crc32c(b"6789", crc32c(b"12345")) == 0xE3069283
    assert crc32c(b"123456789", by_tables=True) == 0xE3069283


@given(st.binary(max_size=300).map(lambda part: part * 40), st.integers(0, 2**32 - 1), st.integers(0, 9))
def test_the_processor_and_the_tables_give_the_same_crc(data, crc, start):
    part = memoryview(data)[start:]
    assert crc32c(part, crc) == crc32c(part, crc, by_tables=True)


def test_cover_without_entries_is_one_hole():
    assert cover(b"", 10, 100) == (b"", [(10, 100)])
    assert cover(b"", 10, 10) == (b"", [])


def test_cover_leaves_holes_where_entries_do_not_hold():
    first, second, third = entry(10, 30), entry(40, 30), entry(70, 30)
    broken = bytes([second[0] ^ 1]) + second[1:]
    assert cover(first + second + third, 10, 100) == (first + second + third, [])
    assert cover(first + broken + third, 10, 100) == (first + third, [(40, 70)])
    assert cover(first + second + third, 10, 99) == (first + second, [(70, 99)])
    assert cover(first + first + second, 10, 70) == (first + second, [])
    assert cover(bytes(ENTRY_SIZE) + first, 10, 50) == (first, [(40, 50)])


def test_cover_refuses_offsets_and_lengths_beyond_any_file():
    assert cover(entry(2**64 - 1, 30) + entry(10, 2**32 - 1) + entry(10, 3), 10, 100) == (b"", [(10, 100)])


def test_gather_gives_contents_and_what_is_damaged():
    blocks = [made.block(2, made.encode(made.SCHEMA, made.records(2, n))) for n in (0, 2, 4)]
    data = bytearray(b"".join(blocks))
    entries, _, _ = Scanner(made.SYNC, PLAN, "ns", 0).scan(data, 1000)
    content, bad = gather(data, 1000, entries, made.SYNC)
    assert bytes(content) == made.encode(made.SCHEMA, made.records(6))
    assert bad == []
    data[len(blocks[0]) + 5] ^= 1
    content, bad = gather(data, 1000, entries, made.SYNC)
    assert bad == [1]
    assert bytes(content) == made.encode(made.SCHEMA, made.records(2) + made.records(2, 4))
    assert gather(data, 1001, entries, made.SYNC)[1] == [0, 1, 2]
    assert gather(data[:-1], 1000, entries, made.SYNC)[1] == [1, 2]
    assert gather(data, 1000, entries, bytes(16))[1] == [0, 1, 2]


def test_scan_makes_the_entries_that_a_relay_writes():
    rows = [made.record(5), made.record(3), made.record(9)]
    packed = made.block(3, made.encode(made.SCHEMA, rows))
    entries, used, wanted = Scanner(made.SYNC, PLAN, None, 77).scan(packed, 500)
    assert entries == made.entry(500, packed, [row["time"] for row in rows], 77)
    assert (used, wanted) == (len(packed), 0)
    assert next(entries_of(entries)).flags == FLAG_UNSORTED


def test_scan_indexes_impossible_times_by_arrival():
    rows = [made.record(0, time=2**62), made.record(1)]
    packed = made.block(2, made.encode(made.SCHEMA, rows))
    entries, _, _ = Scanner(made.SYNC, PLAN, "us", 77).scan(packed, 0)
    found = next(entries_of(entries))
    assert (found.first_ns, found.min_ns, found.max_ns) == (77, 77, 77)
    assert found.flags & FLAG_BAD_TIME


@pytest.mark.parametrize("cut", range(1, 60))
def test_scan_of_a_cut_block_wants_more(cut):
    packed = made.block(2, made.encode(made.SCHEMA, made.records(2)))
    entries, used, wanted = Scanner(made.SYNC, PLAN, "ns", 0).scan(packed[:-cut], 0)
    assert (entries, used) == (b"", 0)
    assert 0 <= wanted <= len(packed)
    assert wanted == len(packed) or cut > len(packed) - 3


@pytest.mark.parametrize(
    "head", [b"\x01\x02", b"\x02\x01", b"\x02\x00", b"\x00\x02", b"\xff" * 10, b"\x02" + b"\xff" * 10]
)
def test_scan_knows_what_is_no_block(head):
    assert Scanner(made.SYNC, PLAN, "ns", 0).scan(head + bytes(40), 0) == (b"", 0, -1)


def test_scan_refuses_blocks_whose_records_do_not_fill_them():
    data = made.encode(made.SCHEMA, made.records(3))
    for count in (1, 2, 4, 2**30):
        assert Scanner(made.SYNC, PLAN, "ns", 0).scan(made.block(count, data), 0)[2] == -1


def test_scan_passes_empty_blocks():
    packed = made.block(0, b"") + made.block(1, made.encode(made.SCHEMA, made.records(1)))
    entries, used, wanted = Scanner(made.SYNC, PLAN, "ns", 0).scan(packed, 0)
    assert (len(entries), used, wanted) == (ENTRY_SIZE, len(packed), 0)
    assert next(entries_of(entries)).offset == 18
