import os
import threading

import fastavro
import pytest
import segments as made

from speeddata.archive import Archive
from speeddata.blocks import ENTRY_SIZE
from speeddata.damage import Damage
from speeddata.errors import ArchiveError
from speeddata.index import HEAD_SIZE, entries_of, index_path
from speeddata.segment import Segment, rebuild_index, scan, whole_length

BLOCKS = [made.records(3), made.records(2, 3), [made.record(7), made.record(6), made.record(6)]]
ROWS = [row for block in BLOCKS for row in block]


@pytest.fixture
def segment(tmp_path):
    return made.write_segment(tmp_path / "example", BLOCKS)


def read(path, **options):
    """The records of a segment, by fastavro from the pieces read, and the damage."""
    with Segment(path, **options) as segment:
        damages = list(segment.damages)
        data = b"".join(bytes(piece.data) for piece in segment.read(segment.entries, damages))
        return made.decode(made.SCHEMA, data), sorted(damages, key=lambda damage: damage.start)


def bounds(path):
    """Start and end of each block."""
    return [(entry.offset, entry.offset + entry.length) for entry in scan(path)]


@pytest.mark.parametrize("codec", ["null", "deflate", "zstandard"])
@pytest.mark.parametrize("index", [True, False])
def test_reads_what_was_written(tmp_path, codec, index):
    path = made.write_segment(tmp_path / "example", BLOCKS, codec=codec, index=index)
    assert read(path) == (ROWS, [])
    if codec != "zstandard":  # fastavro asks for a package of its own to read that
        with path.open("rb") as file:
            assert list(fastavro.reader(file)) == ROWS


@pytest.mark.parametrize("codec", ["null", "deflate", "zstandard"])
def test_scan_finds_what_the_index_has(tmp_path, codec):
    path = made.write_segment(tmp_path / "example", BLOCKS, codec=codec, arrivals=[made.START] * 3)
    written = list(entries_of(index_path(path).read_bytes()[HEAD_SIZE:]))
    assert scan(path) == written
    assert whole_length(path) == path.stat().st_size


@pytest.mark.parametrize("codec", ["null", "deflate"])
@pytest.mark.parametrize("index", [True, False])
def test_cut_at_every_byte_it_gives_exactly_the_whole_blocks(tmp_path, codec, index):
    path = made.write_segment(tmp_path / "example", BLOCKS, codec=codec, index=index)
    data, blocks = path.read_bytes(), bounds(path)
    for size in range(len(data)):
        path.write_bytes(data[:size])
        whole = [rows for rows, (_, end) in zip(BLOCKS, blocks, strict=True) if end <= size]
        if 0 < size < blocks[0][0]:
            with pytest.raises(ArchiveError, match="cut off in its head"):
                read(path)
        else:
            assert read(path) == ([row for rows in whole for row in rows], [])
            assert whole_length(path) == max(
                [0, *(end for _, end in blocks if end <= size), min(size, blocks[0][0])]
            )


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_any_bit_flipped_in_an_indexed_block_costs_that_block_alone_and_is_said(tmp_path, codec):
    path = made.write_segment(tmp_path / "example", BLOCKS, codec=codec)
    data, blocks = path.read_bytes(), bounds(path)
    for at in range(blocks[0][0], len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
        hit = next(n for n, (_, end) in enumerate(blocks) if at < end)
        rows, damages = read(path)
        assert rows == [row for n, block in enumerate(BLOCKS) if n != hit for row in block]
        assert damages == [Damage(path.name, *blocks[hit], len(BLOCKS[hit]), "checksum")]


def test_any_bit_flipped_anywhere_never_gives_wrong_or_silently_fewer_records(segment):
    """Of an archive with index: in the head, in blocks and in the index."""
    values = [tuple(row.values()) for row in sorted(ROWS, key=lambda row: row["time"])]
    for path in (segment, index_path(segment)):
        data = path.read_bytes()
        for at in range(len(data)):
            path.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
            with Archive(segment.parent).open() as reader:
                table = reader.read()
                found = list(
                    zip(table.time_ns.tolist(), *(c.tolist() for c in table.columns.values()), strict=True)
                )
                assert all(row in values for row in found), at
                assert found == values or reader.damages, at
        path.write_bytes(data)


def test_bits_flipped_in_the_index_cost_nothing(segment):
    path = index_path(segment)
    data = path.read_bytes()
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
        assert read(segment) == (ROWS, [])


def test_index_cut_at_every_byte_costs_nothing(segment):
    path = index_path(segment)
    data = path.read_bytes()
    for size in range(len(data)):
        path.write_bytes(data[:size])
        assert read(segment) == (ROWS, [])


def test_damage_where_there_is_no_index_is_passed_at_the_next_sync_marker(tmp_path):
    path = made.write_segment(tmp_path / "example", BLOCKS, index=False)
    data, blocks = path.read_bytes(), bounds(path)
    for at in range(*blocks[1]):
        path.write_bytes(data[:at] + b"\xff" + data[at + 1 :])
        rows, damages = read(path)
        assert rows[:3] == BLOCKS[0]
        assert len(rows) in (3, 6, 8), "the damaged block, and one more when the marker between them is hit"
        if damages:
            assert blocks[1][0] == damages[0].start
            assert damages[0].records is None


def test_damaged_last_block_is_said_where_there_is_no_index(tmp_path):
    path = made.write_segment(tmp_path / "example", BLOCKS, index=False)
    data, (start, end) = path.read_bytes(), bounds(path)[-1]
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert read(path) == (ROWS[:5], [Damage(path.name, start, end, None, "not a block")])
    path.write_bytes(data[: start + 1] + b"\xfe\x07" + data[start + 2 :])  # a length beyond the end
    assert read(path) == (ROWS[:5], [Damage(path.name, start, end + 1, None, "not a block")])


def test_zeros_after_a_power_loss_are_no_records(segment):
    data, blocks = segment.read_bytes(), bounds(segment)
    start = blocks[-1][0]
    segment.write_bytes(data[:start] + bytes(len(data) - start))
    index = index_path(segment)
    assert read(segment)[0] == ROWS[:5]
    index.write_bytes(index.read_bytes()[:-ENTRY_SIZE])
    assert read(segment) == (ROWS[:5], [Damage(segment.name, start, len(data), None, "not a block")])
    assert whole_length(segment) == start


def test_damaged_sync_marker_of_the_head_is_told_by_the_index(segment):
    data, first = segment.read_bytes(), bounds(segment)[0][0]
    segment.write_bytes(data[: first - 3] + b"!" + data[first - 2 :])
    assert read(segment) == (ROWS, [Damage(segment.name, first - 16, first, 0, "sync marker of the head")])


def test_any_bit_flipped_in_the_head_is_taken_back(segment):
    data, first = segment.read_bytes(), bounds(segment)[0][0]
    with Segment(segment) as opened:
        metadata = opened.head.metadata
    for at in range(first * 8):
        segment.write_bytes(data[: at // 8] + bytes([data[at // 8] ^ 1 << at % 8]) + data[at // 8 + 1 :])
        with Segment(segment) as opened:
            assert opened.head.metadata == metadata
            (damage,) = opened.damages
            assert len(list(entries_of(opened.entries))) == len(BLOCKS)
        if at // 8 < first - 16:
            assert damage == Damage(segment.name, at // 8, at // 8 + 1, 0, "a flipped bit in the head")
        else:
            assert damage == Damage(segment.name, first - 16, first, 0, "sync marker of the head")


def test_a_flipped_bit_and_an_index_that_does_not_tell_where(segment):
    """Whatever is left of the index: no other error, and nothing wrong."""
    data, index = segment.read_bytes(), index_path(segment).read_bytes()
    segment.write_bytes(b"N" + data[1:])
    for size in range(HEAD_SIZE):
        index_path(segment).write_bytes(index[:size])
        with pytest.raises(ArchiveError, match="not an Avro container file"):
            Segment(segment)


def test_a_head_whose_checksum_is_not_told_is_believed(segment):
    whole, index = segment.read_bytes(), index_path(segment).read_bytes()
    segment.write_bytes(whole.replace(b"voltage", b"current"))
    with pytest.raises(ArchiveError, match="head damaged: its index tells another checksum of it"):
        Segment(segment)
    for untold in (made.without_crc(index), index[:40] + b"!" + index[41:], b""):
        index_path(segment).write_bytes(untold)
        with Segment(segment) as opened:
            assert "current" in opened.head.schema_text


def test_a_damaged_head_is_said_by_readers(segment):
    made.write_segment(segment.parent, [made.records(3, 10)], start=made.START + 10**9)
    segment.write_bytes(segment.read_bytes().replace(b'"V"', b'"Z"'))
    with Archive(segment.parent).open() as reader:
        assert len(reader.read()) == 3
        (damage,) = reader.damages
    assert (damage.segment, damage.start, damage.end) == (segment.name, 0, segment.stat().st_size)
    assert damage.reason == "head damaged: its index tells another checksum of it"


def test_damaged_length_in_the_head_is_told_by_an_index_without_its_checksum(segment):
    data, first = segment.read_bytes(), bounds(segment)[0][0]
    index_path(segment).write_bytes(made.without_crc(index_path(segment).read_bytes()))
    segment.write_bytes(data.replace(b"\x0eexample", b"\x08example"))
    assert read(segment) == (ROWS, [Damage(segment.name, 0, first, 0, "head")])


def test_index_of_another_segment_is_not_used(segment, tmp_path):
    other = made.write_segment(tmp_path / "other", [made.records(1)], sync=bytes(16))
    index_path(segment).write_bytes(index_path(other).read_bytes())
    assert read(segment) == (ROWS, [])


def test_resealed_files_are_opened_again(segment, tmp_path, monkeypatch):
    """The index is exchanged between our reading the segment and our reading the index."""
    fresh = made.write_segment(tmp_path / "fresh", BLOCKS, sync=bytes(16))
    real = Segment._read_head

    def exchange(self, use_index):
        real(self, use_index)
        if fresh.exists():
            fresh.replace(segment)
            index_path(fresh).replace(index_path(segment))

    monkeypatch.setattr(Segment, "_read_head", exchange)
    assert read(segment) == (ROWS, [])


def test_blocks_behind_the_index_are_found(segment):
    index = index_path(segment)
    data = index.read_bytes()
    for blocks in range(4):
        index.write_bytes(data[: HEAD_SIZE + blocks * ENTRY_SIZE])
        assert read(segment) == (ROWS, [])
    with Segment(segment) as opened:
        assert [entry.arrival_ns for entry in entries_of(opened.entries)] == [
            made.START + n for n in range(3)
        ]
    index.write_bytes(data[: HEAD_SIZE + ENTRY_SIZE] + bytes(ENTRY_SIZE) + data[HEAD_SIZE + 2 * ENTRY_SIZE :])
    assert read(segment) == (ROWS, [])


def test_rebuilt_index_is_the_index(segment):
    index = index_path(segment)
    written = index.read_bytes()
    index.write_bytes(written[: HEAD_SIZE + 2 * ENTRY_SIZE])
    rebuild_index(segment)
    kept = list(entries_of(index.read_bytes()[HEAD_SIZE:]))
    assert kept[:2] == list(entries_of(written[HEAD_SIZE:]))[:2]
    assert kept[2].arrival_ns == kept[1].arrival_ns, "an estimate"
    index.unlink()
    rebuild_index(segment)
    assert [e[:6] for e in entries_of(index.read_bytes()[HEAD_SIZE:])] == [e[:6] for e in kept]


def test_rebuilding_does_not_hide_damage(segment):
    data = segment.read_bytes()
    start, end = bounds(segment)[1]
    at = data.index(b"m3", start)
    segment.write_bytes(data[:at] + b"mX" + data[at + 2 :])
    rebuild_index(segment)
    assert read(segment)[1] == [Damage(segment.name, start, end, 2, "checksum")]


def test_empty_and_head_only_segments_have_no_records(tmp_path):
    path = made.write_segment(tmp_path / "example", [])
    assert read(path) == ([], [])
    path.write_bytes(b"")
    assert read(path) == ([], [])
    assert whole_length(path) == 0


def test_fault_78_links_and_pipes_are_not_segments(segment):
    link = segment.with_name("link.avro")
    link.symlink_to(segment)
    with pytest.raises(OSError):
        Segment(link)
    assert read(link, follow=True)[0] == ROWS
    pipe = segment.with_name("pipe.avro")
    os.mkfifo(pipe)
    with pytest.raises(ArchiveError, match="not a file"):
        Segment(pipe)


def test_files_without_head_are_read_with_a_schema(tmp_path):
    path = tmp_path / "data_1700000000.avro"
    sync = bytes.fromhex("a48a1e90050424780a68337fc2509563")
    blocks = [made.block(1, made.encode(made.SCHEMA, [row]), sync) for row in ROWS]
    path.write_bytes(b"".join(blocks) + blocks[0][:20])
    with Segment(path, schema_text=made.json.dumps(made.SCHEMA)) as segment:
        pieces = list(segment.read(segment.entries, segment.damages))
        assert made.decode(made.SCHEMA, b"".join(bytes(piece.data) for piece in pieces)) == ROWS
        assert segment.damages == []
        assert segment.size - segment.end == 20
    with pytest.raises(ArchiveError, match="not an Avro container"):
        Segment(path)


def test_many_small_blocks_are_read_in_few_pieces(tmp_path):
    path = made.write_segment(tmp_path / "example", [[row] for row in made.records(2000)])
    with Segment(path) as segment:
        pieces = list(segment.read(segment.entries, segment.damages))
        assert len(pieces) == 1
        assert pieces[0].count == 2000


def test_blocks_larger_than_the_window_are_found(tmp_path, monkeypatch):
    for module in ("segment", "block_search"):
        monkeypatch.setattr(f"speeddata.{module}.WINDOW", 50)
    path = made.write_segment(tmp_path / "example", [made.records(30), made.records(1, 30)], index=False)
    assert read(path) == (made.records(31), [])
    data = path.read_bytes()
    first = bounds(path)[0][0]
    path.write_bytes(data[: first + 9] + b"\xff" * 4 + data[first + 13 :])
    rows, damages = read(path)
    assert rows == made.records(1, 30)
    assert len(damages) == 1
    assert damages[0].start == first


def test_reader_of_a_growing_segment_sees_whole_blocks(tmp_path):
    """A writer appends in pieces of any size, block before index entry; each reading is all rows up to some block."""
    whole = made.write_segment(tmp_path / "whole", [made.records(5, n) for n in range(0, 500, 5)])
    data, index = whole.read_bytes(), index_path(whole).read_bytes()
    path = tmp_path / "open.avro"
    first = bounds(whole)[0][0]
    path.write_bytes(data[:first])
    index_path(path).write_bytes(index[:HEAD_SIZE])

    def write():
        with path.open("ab", buffering=0) as segment, index_path(path).open("ab", buffering=0) as entries:
            for place, (start, end) in enumerate(bounds(whole)):
                for at in range(start, end, 37):
                    segment.write(data[at : min(end, at + 37)])
                at = HEAD_SIZE + place * ENTRY_SIZE
                entries.write(index[at : at + 20])
                entries.write(index[at + 20 : at + ENTRY_SIZE])

    writer = threading.Thread(target=write)
    writer.start()
    seen = 0
    while seen < 500:
        alive = writer.is_alive()
        rows, damages = read(path)
        assert rows == made.records(len(rows))
        assert len(rows) % 5 == 0
        assert len(rows) >= seen
        assert not damages
        seen = len(rows)
        assert alive or seen == 500
    writer.join()
