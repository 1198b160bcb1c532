import itertools
import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import segments as made

from speeddata.archive import Archive, Span, segment_paths
from speeddata.columns import Columns
from speeddata.index import ENTRY_SIZE, Seal, entries_of, index_path, mark_seal
from speeddata.segment import Segment

MS = 1_000_000


def read(folder, start=None, end=None, names=None):
    """The rows of a range as dicts, and the reader they came from."""
    limits = {} if start is None else {"start_ns": start, "end_ns": end}
    with Archive(folder).open(**limits) as reader:
        table = reader.read(names)
    columns = {"time": table.time_ns, **table.columns}
    values = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in values], reader


def random_archive(folder, seed):
    """Segments of blocks whose times run on, jump back, repeat and overlap; gives the rows in the order of arrival."""
    choose = random.Random(seed)
    rows, number, now = [], 0, made.START
    for place in range(choose.randint(1, 4)):
        blocks = []
        for _ in range(choose.randint(0, 5)):
            block = []
            for _ in range(choose.randint(1, 8)):
                now += choose.choice([0, 1, 2, 5]) * MS
                late = choose.choice([0] * 6 + [3, 20]) * MS
                block.append(made.record(number, time=now - late))
                number += choose.choice([1, 1, 1, 1, 2, 4])
            blocks.append(block)
        codec, index = choose.choice(["null", "deflate", "zstandard"]), choose.random() < 0.7
        path = made.write_segment(folder, blocks, start=made.START + place * MS, codec=codec, index=index)
        if index and choose.random() < 0.5:
            known = index_path(path).read_bytes()
            index_path(path).write_bytes(known[: 64 + 64 * choose.randint(0, len(blocks))])
        rows += itertools.chain.from_iterable(blocks)
    return rows


def expected_gaps(rows):
    steps = itertools.pairwise(rows)
    return [(a["time"], b["counter"] - a["counter"] - 1) for a, b in steps if b["counter"] - a["counter"] > 1]


@pytest.mark.parametrize("seed", range(40))
def test_fault_63_any_range_is_what_brute_force_finds(tmp_path, seed):
    folder = tmp_path / "example"
    rows = random_archive(folder, seed)
    stamps = sorted(row["time"] for row in rows) or [made.START]
    choose = random.Random(seed)
    ranges = [tuple(sorted(choose.choices(stamps, k=2))) for _ in range(8)]
    for start, end in [
        *ranges,
        (stamps[0], stamps[-1]),
        (stamps[-1] + 1, stamps[-1] + 9),
        (0, stamps[0] - 1),
    ]:
        wanted = sorted((row for row in rows if start <= row["time"] <= end), key=lambda row: row["time"])
        found, reader = read(folder, start, end)
        assert found == wanted
        assert reader.gaps == expected_gaps(wanted)
        assert reader.damages == []


@pytest.mark.parametrize("seed", range(10))
def test_small_batches_follow_each_other_in_time(tmp_path, seed, monkeypatch):
    monkeypatch.setattr("speeddata.reader.BATCH", 3)
    rows = random_archive(tmp_path / "example", seed)
    with Archive(tmp_path / "example").open() as reader:
        numbers, before = [], 0
        for table in reader.batches(["counter"]):
            assert before <= table.time_ns[0]
            before = table.time_ns[-1]
            numbers += table.columns["counter"].tolist()
    assert numbers == [row["counter"] for row in sorted(rows, key=lambda row: row["time"])]
    assert reader.gaps == expected_gaps(sorted(rows, key=lambda row: row["time"]))


def test_records_in_order_come_in_batches(tmp_path, monkeypatch):
    monkeypatch.setattr("speeddata.reader.BATCH", 10)
    made.write_segment(tmp_path / "example", [made.records(5, n) for n in range(0, 50, 5)])
    with Archive(tmp_path / "example").open() as reader:
        assert reader.count == 50
        assert [len(table) for table in reader.batches()] == [10] * 5


@pytest.mark.parametrize("seed", range(10))
def test_span_is_that_of_the_records_also_when_asked_again(tmp_path, seed):
    folder = tmp_path / "example"
    rows = random_archive(folder, seed)
    archive = Archive(folder)
    wanted = Span(min(r["time"] for r in rows), max(r["time"] for r in rows)) if rows else None
    assert archive.span() == wanted
    assert archive.span() == wanted
    more = made.record(0, time=made.START + 10**12)
    made.write_segment(folder, [[more]], start=made.START + 10**9)
    assert archive.span().newest_ns == more["time"]
    for path in segment_paths(folder):
        path.unlink()
    assert archive.span() is None


def test_what_is_remembered_of_a_segment_ends_when_it_grows(tmp_path):
    folder = tmp_path / "example"
    path = made.write_segment(folder, [made.records(3)])
    made.write_segment(folder, [made.records(1, 100)], start=made.START + 10**9)
    archive = Archive(folder)
    assert archive.span() == (made.START, made.START + 100 * MS)
    with path.open("ab") as file:
        file.write(made.block(1, made.encode(made.SCHEMA, [made.record(500)])))
    assert archive.span().newest_ns == made.START + 500 * MS
    with archive.open(made.START + 500 * MS, made.START + 500 * MS) as reader:
        assert reader.read().columns["counter"].tolist() == [500]


def test_segments_without_records_in_the_range_are_not_opened_again(tmp_path, monkeypatch):
    folder = tmp_path / "example"
    first = made.write_segment(folder, [made.records(3)])
    made.write_segment(folder, [made.records(3, 100)], start=made.START + 10**9)
    archive = Archive(folder)
    archive.span()
    opened = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, *a, **k: (opened.append(path), real(path, *a, **k))[1])
    with archive.open(made.START + 100 * MS, made.START + 200 * MS) as reader:
        assert len(reader.read()) == 3
    assert opened
    assert first not in opened


def test_only_overlapping_blocks_are_read(tmp_path):
    """Blocks outside the range may be damaged: nobody looks."""
    folder = tmp_path / "example"
    path = made.write_segment(folder, [made.records(3), made.records(3, 3), made.records(3, 6)])
    data = path.read_bytes()
    at = data.index(b"m0")
    path.write_bytes(data[:at] + b"XX" + data[at + 2 :])
    rows, reader = read(folder, made.START + 3 * MS, made.START + 8 * MS)
    assert rows == made.records(6, 3)
    assert reader.damages == []
    rows, reader = read(folder, made.START + 2 * MS, made.START + 3 * MS)
    assert rows == made.records(1, 3)
    assert [(damage.reason, damage.records) for damage in reader.damages] == [("checksum", 3)]


def test_files_of_other_kinds_are_not_touched(tmp_path):
    folder = tmp_path / "example"
    path = made.write_segment(folder, [made.records(3)])
    (folder / ".example_next.avro").write_bytes(b"being made")
    (folder / "quarantine.avro").write_bytes(path.read_bytes())
    (folder / "example_folder.avro").mkdir()
    (folder / "example_link.avro").symlink_to(path)
    assert segment_paths(folder) == [path]
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert segment_paths(link) == []
    assert segment_paths(path) == []
    assert segment_paths(tmp_path / "nosuch") == []


def test_unreadable_segments_are_said_and_the_others_served(tmp_path):
    folder = tmp_path / "example"
    made.write_segment(folder, [made.records(2)])
    (folder / "example_a.avro").write_bytes(b"rubbish")
    (folder / "example_b.avro").write_bytes(b"")
    (folder / "example_c.avro").write_bytes(made.head(made.SCHEMA)[:50])
    (folder / "example_d.avro").write_bytes(made.head({"type": "record", "name": "x", "fields": []}))
    rows, reader = read(folder)
    assert rows == made.records(2)
    assert [(d.segment, d.records) for d in reader.damages] == [
        ("example_a.avro", None),
        ("example_c.avro", None),
        ("example_d.avro", None),
    ]
    assert "no time" in reader.damages[2].reason


def test_cut_segments_are_said_except_the_last(tmp_path):
    folder = tmp_path / "example"
    first = made.write_segment(folder, [made.records(2), made.records(2, 2)])
    first.write_bytes(first.read_bytes()[:-5])
    index = index_path(first)
    index.write_bytes(index.read_bytes()[:-ENTRY_SIZE])
    rows, reader = read(folder)
    assert (rows, reader.damages) == (made.records(2), [])
    made.write_segment(folder, [made.records(2, 4)], start=made.START + 10**9)
    rows, reader = read(folder)
    assert rows == made.records(2) + made.records(2, 4)
    assert reader.damages == [], "it may be being written to"
    os.utime(first, (1e9, 1e9))
    with first.open("ab"):
        assert read(folder)[1].damages == [], "its writer may be held up"
    rows, reader = read(folder)
    assert rows == made.records(2) + made.records(2, 4)
    assert [damage.reason for damage in reader.damages] == ["cut off"]


@pytest.mark.parametrize("left", [0, 1, 2])
def test_blocks_that_the_index_has_and_the_file_has_not_are_damage(tmp_path, left):
    folder = tmp_path / "example"
    path = made.write_segment(folder, [made.records(2, n) for n in (0, 2, 4)])
    archive = Archive(folder)
    with archive.open() as reader:
        assert reader.damages == []
    with Segment(path) as segment:
        ends = [entry.offset + entry.length for entry in entries_of(segment.entries)]
    os.truncate(path, ends[left - 1] + 1 if left else 0)
    for _ in range(2):  # it is remembered, and not told twice
        with archive.open() as reader:
            assert sum(len(table) for table in reader.batches(["counter"])) == 2 * left
            assert [(one.reason, one.records) for one in reader.damages] == [("cut off", 6 - 2 * left)]


def test_a_segment_that_is_put_back_as_it_was_is_read_anew(tmp_path):
    folder = tmp_path / "example"
    path = made.write_segment(folder, [made.records(2)])
    whole, status = path.read_bytes(), path.stat()
    archive = Archive(folder)
    assert archive.segments()[0].damages == ()
    path.write_bytes(bytes(len(whole)))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert archive.segments() == []
    path.write_bytes(whole)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with archive.open() as reader:
        assert sum(len(table) for table in reader.batches(["counter"])) == 2


def test_fault_22_a_segment_deleted_while_it_is_read_is_read_to_its_end(tmp_path):
    folder = tmp_path / "example"
    path = made.write_segment(folder, [made.records(5)])
    with Archive(folder).open() as reader:
        path.unlink()
        index_path(path).unlink()
        assert len(reader.read()) == 5
        assert reader.damages == []


@pytest.mark.parametrize("seed", range(10))
def test_the_newest_time_up_to_a_limit(tmp_path, seed):
    rows = random_archive(tmp_path / "example", seed)
    times = sorted({row["time"] for row in rows})
    archive = Archive(tmp_path / "example")
    for limit in (0, *times, *(time + 1 for time in times), 2**62):
        wanted = max((time for time in times if time <= limit), default=None)
        assert archive.newest(limit) == wanted


def test_only_blocks_beyond_the_limit_are_read_for_the_newest(tmp_path, monkeypatch):
    spoiled = [[made.record(n)] for n in range(50)] + [[made.record(50), made.record(51, 2**62)]]
    made.write_segment(tmp_path / "example", spoiled)
    read = []
    monkeypatch.setattr("speeddata.decoding.Columns", lambda *args: read.append(args[1]) or Columns(*args))
    assert Archive(tmp_path / "example").newest(2**61) == made.START + 50 * MS
    assert 1 <= sum(read) <= 3


def sealed(path, seal=Seal.FINAL):
    """Mark a segment as sealed, and its folder as unchanged for long."""
    with Segment(path) as segment:
        assert mark_seal(path, segment.head.sync, seal)
    os.utime(path.parent, (1e9, 1e9))
    return path


def opened_by(monkeypatch):
    opened = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, *a, **k: (opened.append(Path(path)), real(path, *a, **k))[1])
    return opened


def test_sealed_segments_are_not_looked_at_again(tmp_path, monkeypatch):
    folder = tmp_path / "example"
    first = sealed(made.write_segment(folder, [made.records(3)]))
    archive = Archive(folder)
    assert [known.seal for known in archive.segments()] == [Seal.FINAL]
    opened = opened_by(monkeypatch)
    stated = []
    real = Path.lstat
    monkeypatch.setattr(Path, "lstat", lambda path: (stated.append(path), real(path))[1])
    assert archive.span() == (made.START, made.START + 2 * MS)
    assert (opened, set(stated)) == ([], {folder})
    with archive.open(made.START, made.START) as reader:
        assert len(reader.read()) == 1
    assert opened == [first], "its records, without its index"


def test_a_look_is_the_same_object_until_something_changes(tmp_path):
    folder = tmp_path / "example"
    first = sealed(made.write_segment(folder, [made.records(3)]))
    second = made.write_segment(folder, [made.records(3, 3)], start=made.START + 10**9)
    archive = Archive(folder)
    before = archive.look()
    assert (list(before.segments), before.growing) == ([first.name, second.name], (second.name,))
    assert archive.look() is before
    with second.open("ab") as file:
        file.write(made.block(1, made.encode(made.SCHEMA, [made.record(500)])))
    after = archive.look()
    assert after is archive.look() is not before
    assert after.segments[first.name] is before.segments[first.name]
    assert after.segments[second.name] is not before.segments[second.name]


def test_a_segment_that_can_be_read_later_is_seen_to_be(tmp_path):
    folder = tmp_path / "example"
    path = made.write_segment(folder, [made.records(3)])
    whole = path.read_bytes()
    path.write_bytes(b"rubbish")
    archive = Archive(folder)
    os.utime(folder, (1e9, 1e9))
    look = archive.look()
    assert (look.segments, look.growing) == ({path.name: None}, (path.name,))
    path.write_bytes(whole)
    assert archive.span() == (made.START, made.START + 2 * MS)


def test_a_segment_sealed_since_is_seen_to_be(tmp_path, monkeypatch):
    monkeypatch.setattr("speeddata.archive.SEALS_S", 0)
    path = made.write_segment(tmp_path / "example", [made.records(3)])
    archive = Archive(path.parent)
    assert [known.seal for known in archive.segments()] == [Seal.UNSEEN]
    sealed(path, Seal.DAMAGED)
    assert [known.seal for known in archive.segments()] == [Seal.DAMAGED]


@pytest.mark.parametrize("codec", ["null", "zstandard"])
def test_a_segment_in_the_place_of_another_is_seen(tmp_path, codec):
    folder = tmp_path / "example"
    path = sealed(made.write_segment(folder, [made.records(3)]))
    archive = Archive(folder)
    assert archive.span() == (made.START, made.START + 2 * MS)
    copy = made.write_segment(tmp_path / "other" / "example", [made.records(5)], codec=codec, sync=bytes(16))
    copy.rename(path)
    index_path(copy).rename(index_path(path))
    assert archive.span() == (made.START, made.START + 4 * MS)
    with archive.open() as reader:
        assert reader.read().columns["counter"].tolist() == [0, 1, 2, 3, 4]


def test_two_changes_of_a_folder_in_one_moment_are_both_seen(tmp_path, monkeypatch):
    folder = tmp_path / "example"
    made.write_segment(folder, [made.records(3)])
    archive = Archive(folder)
    changed = folder.lstat().st_mtime_ns
    monkeypatch.setattr("speeddata.archive.time.time_ns", lambda: changed + 1000)
    assert len(archive.segments()) == 1
    made.write_segment(folder, [made.records(3)], start=made.START + 10**9)
    os.utime(folder, ns=(changed, changed))
    assert len(archive.segments()) == 2


def test_one_archive_may_be_asked_by_several_threads(tmp_path):
    rows = random_archive(tmp_path / "example", 3)
    archive = Archive(tmp_path / "example")
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: read_all(archive), range(20)))
    assert found == [len(rows)] * 20


def read_all(archive):
    with archive.open() as reader:
        return len(reader.read())
