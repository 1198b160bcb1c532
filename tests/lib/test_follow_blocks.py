import numpy as np
import segments as made

from speeddata.decoding import entry_array
from speeddata.follow_blocks import Blocks
from speeddata.segment import Segment


def test_numbers_of_the_records(tmp_path):
    path = made.write_segment(tmp_path / "engine", [made.records(3), made.records(2, 3), made.records(4, 5)])
    with Segment(path) as segment:
        blocks = Blocks(segment)
        assert blocks.begin.tolist() == [0, 3, 5, 9]
        assert blocks.count == 9
        (rows,) = blocks.read(slice(1, 3), None, [])
        assert rows.numbers.tolist() == rows.table.columns["counter"].tolist() == [3, 4, 5, 6, 7, 8]
        assert rows.take(rows.numbers > 6).table.columns["counter"].tolist() == [7, 8]
        (rows,) = blocks.read(slice(0, 3), ["voltage", "time"], [])
        assert list(rows.table.columns) == ["voltage"]


def test_what_is_damaged_leaves_its_numbers_out(tmp_path):
    path = made.write_segment(tmp_path / "engine", [made.records(3), made.records(2, 3), made.records(4, 5)])
    with Segment(path) as segment:
        offset = int(entry_array(segment.entries)["offset"][1])
    data = bytearray(path.read_bytes())
    data[offset + 5] ^= 1
    path.write_bytes(data)
    damages = []
    with Segment(path) as segment:
        found = [
            n for rows in Blocks(segment).read(slice(0, 3), None, damages) for n in rows.numbers.tolist()
        ]
    assert found == [0, 1, 2, 5, 6, 7, 8]
    assert [damage.records for damage in damages] == [2]


def test_a_record_that_cannot_be_decoded_takes_its_block_along(tmp_path):
    """Its checksum holds, its records do not: as after a fault of who wrote it."""
    path = made.write_segment(tmp_path / "engine", [made.records(2), made.records(2, 2)])
    head = made.head(made.SCHEMA, channel="engine", time_unit="ns")
    out, entries = bytearray(head), [made.index_head(head)]
    for first, good in ((0, True), (2, False), (4, True)):
        rows = made.records(2, first)
        data = made.encode(made.SCHEMA, rows)
        packed = made.block(2, data if good else b"\xff" * len(data))
        entries.append(made.entry(len(out), packed, [row["time"] for row in rows], 0))
        out += packed
    path.write_bytes(out)
    path.with_suffix(".idx").write_bytes(b"".join(entries))
    damages = []
    with Segment(path) as segment:
        found = [rows.numbers.tolist() for rows in Blocks(segment).read(slice(0, 3), None, damages)]
    assert np.concatenate(found).tolist() == [0, 1, 4, 5]
    assert [damage.records for damage in damages] == [2]


def test_blocks_are_read_in_runs(tmp_path):
    path = made.write_segment(tmp_path / "engine", [made.records(1), made.records(2, 1)])
    with Segment(path) as segment:
        blocks = Blocks(segment)
    blocks.entries = np.zeros(5, blocks.entries.dtype)
    blocks.begin = np.cumsum([0, 10_000, 10_000, 20_000, 1, 2])
    assert list(blocks.from_record(10_000)) == [slice(1, 2), slice(2, 3), slice(3, 5)]
    assert list(blocks.from_record(9_999))[0] == slice(0, 1)
    assert list(blocks.from_record(40_003)) == []
