"""Repair at start: a segment cut anywhere keeps exactly its whole blocks, and the index knows them."""

import pytest
from line import chunks, make_spec, numbered, read_records, running

from speeddata.index import ENTRY_SIZE, HEAD_SIZE, entries_of, index_path
from speeddata.plan import Plan
from speeddata.relay.repair import last_unit, repair
from speeddata.schema import Schema
from speeddata.segment import Segment


@pytest.fixture
def segment(tmp_path):
    """A segment of four blocks."""
    spec = make_spec(tmp_path, block_bytes=65536)
    with running(spec) as line:
        line.send(*chunks([numbered(n) for n in range(14_000)], 500))
        line.wait(archived=14_000)
        line.stop()
        (path,) = line.folder.glob("test_*.avro")
    return path


def ends(path):
    with Segment(path) as opened:
        return [(e.offset + e.length, e.count) for e in entries_of(opened.entries)]


def test_a_whole_segment_is_left_alone(segment):
    before = segment.read_bytes(), index_path(segment).read_bytes()
    assert repair(segment.parent, "test") == ([], [])
    assert (segment.read_bytes(), index_path(segment).read_bytes()) == before


@pytest.mark.parametrize("cut", [1, 15, 16, 17, 1000, 70_000])
def test_a_torn_tail_is_cut_and_said(segment, cut):
    whole = ends(segment)
    data = segment.read_bytes()
    segment.write_bytes(data[:-cut])
    kept = [(end, count) for end, count in whole if end <= len(data) - cut]
    ((done,), failed) = repair(segment.parent, "test")
    assert failed == []
    assert segment.stat().st_size == kept[-1][0]
    assert done.cut_bytes == len(data) - cut - kept[-1][0]
    assert len(read_records(segment.parent)) == sum(count for _, count in kept)
    assert index_path(segment).stat().st_size == HEAD_SIZE + ENTRY_SIZE * len(kept)
    assert repair(segment.parent, "test") == ([], [])


@pytest.mark.parametrize("kept", [0, 10, HEAD_SIZE, HEAD_SIZE + ENTRY_SIZE, HEAD_SIZE + 2 * ENTRY_SIZE + 7])
def test_a_cut_index_is_completed(segment, kept):
    index = index_path(segment)
    before = list(entries_of(index.read_bytes()[HEAD_SIZE:]))
    index.write_bytes(index.read_bytes()[:kept])
    repair(segment.parent, "test")
    after = list(entries_of(index.read_bytes()[HEAD_SIZE:]))
    times = [(e.offset, e.count, e.first_ns, e.min_ns, e.max_ns, e.crc) for e in after]
    assert times == [(e.offset, e.count, e.first_ns, e.min_ns, e.max_ns, e.crc) for e in before]


def test_a_zero_filled_tail_is_no_record(segment):
    data = segment.read_bytes()
    segment.write_bytes(data + bytes(5000))
    ((done,), _) = repair(segment.parent, "test")
    assert (done.cut_bytes, segment.read_bytes()) == (5000, data)


def test_a_last_block_that_never_reached_the_disk_is_cut(segment):
    """Power failed: the index entry is there, the block is zeros."""
    (end, _), (_, lost) = ends(segment)[-2:]
    records = len(read_records(segment.parent))
    size = segment.stat().st_size
    with segment.open("r+b") as file:
        file.truncate(end)
        file.truncate(size)
    ((done,), _) = repair(segment.parent, "test")
    assert (done.cut_bytes, segment.stat().st_size) == (size - end, end)
    assert len(read_records(segment.parent)) == records - lost


def test_leftovers_go_and_a_broken_head_is_said(segment):
    (segment.parent / ".test.next.avro").write_bytes(b"Obj")
    broken = segment.with_name("test_20200101T000000.000000Z.avro")
    broken.write_bytes(b"Obj\x01\x02nonsense")
    done, failed = repair(segment.parent, "test")
    assert done == []
    assert [line.partition(":")[0] for line in failed] == [broken.name]
    assert broken.exists()
    assert not list(segment.parent.glob(".test.next.*"))


def test_the_unit_is_known_from_the_newest_segment(segment):
    with Segment(segment) as opened:
        fingerprint = opened.head.plan.schema.fingerprint
    other = Plan(Schema.parse({"type": "record", "name": "x", "fields": [{"name": "time", "type": "long"}]}))
    assert last_unit(segment.parent, "test", fingerprint) == "ns"
    assert last_unit(segment.parent, "test", other.schema.fingerprint) is None
    assert last_unit(segment.parent, "nobody", fingerprint) is None
