"""Block by block: what is good is given, what is not is said with its number, its place and what it cost."""

import os

import pytest
import segments as made

from speeddata.damage import Damage
from speeddata.examination import Examination, Fault
from speeddata.index import ENTRY_SIZE, HEAD_SIZE, index_path
from speeddata.index_state import read_index
from speeddata.segment import Segment, scan

BLOCKS = [made.records(3), made.records(2, 3), made.records(4, 5), made.records(1, 9)]


@pytest.fixture
def segment(tmp_path):
    return made.write_segment(tmp_path / "example", BLOCKS)


def bounds(path):
    return [(entry.offset, entry.offset + entry.length) for entry in scan(path)]


def examine(path, *span):
    """The records of the good blocks, and the examination."""
    index = read_index(path)
    with Segment(path, timed=False) as segment:
        examination = Examination(segment, index)
        data = b"".join(bytes(content) for _, content in examination.read(*span))
        examination.find_tail()
        return made.decode(made.SCHEMA, data), examination


def spoil(path, at, new):
    data = path.read_bytes()
    path.write_bytes(data[:at] + new + data[at + len(new) :])


def test_a_whole_segment_has_no_faults(segment):
    rows, examination = examine(segment)
    assert rows == [row for block in BLOCKS for row in block]
    assert (examination.faults, examination.tail, examination.odd_times) == ([], None, 0)
    assert bytes(examination.good) == index_path(segment).read_bytes()[HEAD_SIZE:]


def test_damaged_blocks_are_said_by_their_numbers(segment):
    places = bounds(segment)
    for number in (1, 3):
        spoil(segment, places[number][0] + 5, b"!")
    rows, examination = examine(segment)
    assert rows == BLOCKS[0] + BLOCKS[2]
    assert examination.faults == [
        Fault(2, Damage(segment.name, *places[1], 2, "checksum")),
        Fault(4, Damage(segment.name, *places[3], 1, "checksum")),
    ]
    start, end = places[1]
    assert str(examination.faults[0]) == f"block 2, bytes {start} to {end}: checksum, 2 records lost"


def forget_crc(segment):
    """As of before an index told the checksum of the head."""
    index_path(segment).write_bytes(made.without_crc(index_path(segment).read_bytes()))


def test_without_an_index_the_blocks_themselves_tell_how_many_records_they_had(segment):
    places = bounds(segment)
    index_path(segment).unlink()
    spoil(segment, places[1][1] - 1, b"!")  # the end of a sync marker: the block after it is passed over too
    rows, examination = examine(segment)
    assert rows == BLOCKS[0] + BLOCKS[3]
    assert examination.faults == [
        Fault(2, Damage(segment.name, places[1][0], places[2][1], 6, "not a block"))
    ]


def test_a_count_that_is_itself_damaged_is_not_believed(segment):
    places = bounds(segment)
    index_path(segment).unlink()
    spoil(segment, places[2][0], made.varint(1))
    (fault,) = examine(segment)[1].faults
    assert fault == Fault(3, Damage(segment.name, *places[2], 4, "not a block"))


@pytest.mark.parametrize("rubbish", [b"\0" * 40, b"\xff" * 40, b"\2\2", made.varint(2**30) + made.varint(4)])
def test_what_tells_no_count_is_an_unknown_number(segment, rubbish):
    places = bounds(segment)
    index_path(segment).unlink()
    spoil(segment, places[1][0], rubbish)
    (fault,) = examine(segment)[1].faults
    assert (fault.block, fault.damage.records) == (2, None)
    assert str(fault).endswith("not a block, an unknown number of records lost")


def test_records_that_are_not_those_of_the_schema_are_damage_though_the_checksum_is_right(segment):
    """A head of another schema, of the same length, as a flipped bit makes it."""
    data = segment.read_bytes()
    segment.write_bytes(data.replace(b'"double"', b'"string"'))
    forget_crc(segment)
    rows, examination = examine(segment)
    assert (rows, len(examination.faults)) == ([], 4)
    assert {fault.damage.reason for fault in examination.faults} == {"not records of its schema"}


def test_times_that_are_not_those_of_the_index_are_counted(segment):
    data = segment.read_bytes()
    segment.write_bytes(
        data.replace(b"timestamp-nanos", b"timestamp-nanox").replace(b"unit\4ns", b"unit\4ms")
    )
    forget_crc(segment)
    rows, examination = examine(segment)
    assert (len(rows), examination.faults, examination.odd_times) == (10, [], 4)


@pytest.mark.parametrize(("cut", "records"), [(1, 1), (20, 1), (40, 5), (70, 5)])
@pytest.mark.parametrize("index", [True, False])
def test_what_was_cut_off_is_counted(segment, cut, records, index):
    places, size = bounds(segment), segment.stat().st_size
    os.truncate(segment, size - cut)
    if not index:
        index_path(segment).unlink()
    whole = [end for _, end in places if end <= size - cut]
    tail = examine(segment)[1].tail
    # Without an index nothing tells of the blocks behind the one that is torn.
    told = records if index or cut < 40 else 4
    assert tail == Fault(len(whole) + 1, Damage(segment.name, whole[-1], size - cut, told, "cut off"))


def test_cut_between_two_blocks_only_the_index_tells(segment):
    places = bounds(segment)
    os.truncate(segment, places[1][1])
    assert examine(segment)[1].tail == Fault(
        3, Damage(segment.name, places[1][1], places[1][1], 5, "cut off")
    )
    spoil(index_path(segment), HEAD_SIZE + 3 * ENTRY_SIZE, b"!")
    assert examine(segment)[1].tail.damage.records is None
    index_path(segment).unlink()
    assert examine(segment)[1].tail is None


def test_an_empty_file_that_had_blocks(segment):
    os.truncate(segment, 0)
    assert examine(segment)[1].tail == Fault(1, Damage(segment.name, 0, 0, 10, "cut off"))


def test_a_sector_that_cannot_be_read_costs_its_block(segment, monkeypatch):
    (start, end), real = bounds(segment)[1], os.pread

    def pread(fd, size, offset):
        if offset <= start < offset + size and size < 1000:
            raise OSError(5, "Input/output error")
        return real(fd, size, offset)

    with Segment(segment) as opened:
        monkeypatch.setattr(os, "pread", pread)
        examination = Examination(opened, read_index(segment))
        assert len(list(examination.read())) == 3
    assert examination.faults == [Fault(2, Damage(segment.name, start, end, 2, "Input/output error"))]


def test_only_blocks_that_overlap_the_range_are_read(segment):
    at = [row["time"] for block in BLOCKS for row in block]
    assert examine(segment, at[3], at[5])[0] == BLOCKS[1]
    assert examine(segment, at[4], at[5] + 1)[0] == BLOCKS[1] + BLOCKS[2]
    assert examine(segment, None, at[0])[0] == []
    assert examine(segment, at[9], None)[0] == BLOCKS[3]
    spoil(segment, bounds(segment)[0][0] + 5, b"!")
    assert examine(segment, at[9], None)[1].faults == []
