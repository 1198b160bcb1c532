"""What a repair makes is whole, and holds exactly the records of the good blocks."""

import os

import pytest
import segments as made
from hypothesis import given
from hypothesis import strategies as st

from speeddata.errors import ArchiveError
from speeddata.folder_lock import alone_in
from speeddata.index import ENTRY_SIZE, HEAD_SIZE, index_path
from speeddata.lock import take_lock
from speeddata.mend import mend
from speeddata.repair import Outcome, repair, tidy
from speeddata.segment import Segment, rebuild_index, scan
from speeddata.verify import WHOLE, verify

BLOCKS = [made.records(3), made.records(2, 3), [made.record(7), made.record(6), made.record(6)]]
RECORDS = 8


@pytest.fixture
def segment(tmp_path):
    return made.write_segment(tmp_path / "example", BLOCKS)


@pytest.fixture
def fast(monkeypatch):
    """Without waiting for the disk: for many repairs."""
    monkeypatch.setattr(os, "fsync", lambda _fd: None)


def rows(path):
    with Segment(path) as segment:
        data = b"".join(bytes(piece.data) for piece in segment.read(segment.entries, segment.damages))
        return made.decode(made.SCHEMA, data)


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_what_is_whole_is_left_alone(segment):
    before = content(segment.parent)
    assert repair(segment) == Outcome(segment, records=RECORDS)
    assert repair(segment).lines() == []
    assert content(segment.parent) == before


def test_an_index_that_is_lost_is_made_anew(segment):
    before = index_path(segment).read_bytes()
    index_path(segment).unlink()
    outcome = repair(segment)
    assert (outcome.status, outcome.records, outcome.lost) == (0, RECORDS, 0)
    assert outcome.lines() == [f"{segment}: given a new index of 3 blocks: 8 records saved, 0 records lost"]
    assert len(index_path(segment).read_bytes()) == len(before)
    assert verify(segment).state == "whole"


def test_a_torn_tail_is_cut(segment):
    last = scan(segment)[-1]
    os.truncate(segment, last.offset + 10)
    outcome = repair(segment)
    assert (outcome.status, outcome.records, outcome.lost, outcome.kept) == (3, 5, 3, None)
    assert outcome.lines() == [f"{segment}: cut by 10 bytes of a torn tail: 5 records saved, 3 records lost"]
    assert segment.stat().st_size == last.offset
    assert (verify(segment).state, rows(segment)) == ("whole", BLOCKS[0] + BLOCKS[1])


def test_damage_in_the_middle_is_left_out(segment):
    data, place = bytearray(segment.read_bytes()), scan(segment)[1]
    data[place.offset + 4] ^= 1
    segment.write_bytes(data)
    outcome = repair(segment)
    assert (outcome.status, outcome.records, outcome.lost) == (3, 6, 2)
    assert outcome.lines() == [
        f"{segment}: salvaged, 2 blocks to a new file: 6 records saved, 2 records lost; "
        f"the damaged file is {segment.name}.damaged"
    ]
    assert outcome.kept.read_bytes() == data
    assert (verify(segment).state, rows(segment)) == ("whole", BLOCKS[0] + BLOCKS[2])
    assert repair(segment) == Outcome(segment, records=6)


def test_a_sync_marker_of_the_head_costs_no_record(segment):
    data, first = segment.read_bytes(), scan(segment)[0].offset
    segment.write_bytes(data[: first - 1] + b"!" + data[first:])
    outcome = repair(segment)
    assert (outcome.status, outcome.records, outcome.lost) == (0, RECORDS, 0)
    assert (verify(segment).state, rows(segment)) == ("whole", [row for block in BLOCKS for row in block])


def test_a_dry_run_says_it_and_does_nothing(segment):
    data, place = bytearray(segment.read_bytes()), scan(segment)[1]
    data[place.offset + 4] ^= 1
    segment.write_bytes(data)
    segment.with_name(f".{segment.name}.repair.avro").touch()
    before = content(segment.parent)
    outcome = repair(segment, dry_run=True)
    assert outcome.lines() == [
        f"{segment}: would be salvaged, 2 blocks to a new file: 6 records saved, 2 records lost"
    ]
    assert outcome.status == 3
    assert content(segment.parent) == before


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("index", [True, False])
def test_flipped_at_any_byte_and_repaired_it_is_whole_with_the_records_of_the_blocks_not_hit(segment, index):
    data, told, blocks = segment.read_bytes(), index_path(segment).read_bytes(), scan(segment)
    for at in range(blocks[0].offset, len(data), 1 if index else 3):
        segment.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
        index_path(segment).write_bytes(told) if index else index_path(segment).unlink(missing_ok=True)
        hit = next(n for n, block in enumerate(blocks) if at < block.offset + block.length)
        before = rows(segment)
        outcome = repair(segment)
        assert verify(segment).state == "whole", at
        assert rows(segment) == before, at
        if index:
            assert before == [row for n, block in enumerate(BLOCKS) if n != hit for row in block], at
            assert (outcome.status, outcome.records, outcome.lost) == (
                3,
                len(before),
                RECORDS - len(before),
            ), at
        for path in segment.parent.glob(f"{segment.name}.*"):
            path.unlink()


@pytest.mark.usefixtures("fast")
@pytest.mark.parametrize("index", [True, False])
def test_cut_at_any_byte_and_repaired_it_is_whole_with_the_records_of_the_whole_blocks(segment, index):
    data, told, blocks = segment.read_bytes(), index_path(segment).read_bytes(), scan(segment)
    for size in range(blocks[0].offset, len(data), 1 if index else 3):
        segment.write_bytes(data[:size])
        index_path(segment).write_bytes(told) if index else index_path(segment).unlink(missing_ok=True)
        whole = [
            rows for rows, block in zip(BLOCKS, blocks, strict=True) if block.offset + block.length <= size
        ]
        outcome = repair(segment)
        assert verify(segment).state == "whole", size
        assert rows(segment) == [row for block in whole for row in block], size
        if index:
            assert (outcome.records, outcome.lost) == (len(rows(segment)), RECORDS - len(rows(segment))), size


EDIT = st.tuples(
    st.sampled_from(["write", "insert", "delete"]), st.floats(0, 1), st.binary(min_size=1, max_size=40)
)


@given(st.lists(EDIT, max_size=3), st.lists(EDIT, max_size=2))
def test_whatever_was_done_to_both_files_the_repair_ends_it_or_says_why_not(
    tmp_path_factory, to_data, to_index
):
    path = made.write_segment(tmp_path_factory.mktemp("any") / "example", BLOCKS)
    for target, edits in ((path, to_data), (index_path(path), to_index)):
        data = bytearray(target.read_bytes())
        for what, share, rubbish in edits:
            at = int(share * len(data))
            data[at : at + (0 if what == "insert" else len(rubbish))] = b"" if what == "delete" else rubbish
        target.write_bytes(data)
    before, report = path.read_bytes(), verify(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _fd: None)
        outcome = repair(path)
        if outcome.error:
            assert outcome.status == 1
            assert path.read_bytes() == before
        else:
            assert (verify(path).state, verify(path).records) == ("whole", report.records)
            assert repair(path) == Outcome(path, records=report.records)
            assert path.read_bytes() == before or not report.faults or outcome.kept.read_bytes() == before


def test_what_is_being_written_is_let_alone(segment):
    data, place = bytearray(segment.read_bytes()), scan(segment)[1]
    data[place.offset + 4] ^= 1
    segment.write_bytes(data)
    before = content(segment.parent)
    with segment.open("ab"):
        outcome = repair(segment)
    assert (outcome.status, outcome.error) == (1, "a process has it open for writing; wait until it is over")
    assert content(segment.parent) == before
    os.truncate(segment, len(data) - 3)
    index_path(segment).write_bytes(index_path(segment).read_bytes()[: HEAD_SIZE + ENTRY_SIZE])
    (segment.parent / "quarantine.avro").write_bytes(segment.read_bytes())
    fd = take_lock(segment.parent / ".lock", "taken")
    assert "may write to it at any time" in verify_and_repair(segment.parent / "quarantine.avro")
    os.close(fd)


def verify_and_repair(path):
    with path.open("r+b") as file:
        file.seek(scan(path)[0].offset + 2)
        file.write(b"\xff\xff\xff")
    return repair(path).error


def test_one_flipped_bit_in_the_head_is_taken_back(segment):
    data = segment.read_bytes()
    segment.write_bytes(data.replace(b"voltage", b"voltagd"))
    assert verify(segment).lines()[1].endswith("a flipped bit in the head, 0 records lost")
    outcome = repair(segment)
    assert (outcome.status, outcome.records, outcome.lost) == (0, RECORDS, 0)
    assert outcome.kept.read_bytes() == data.replace(b"voltage", b"voltagd")
    assert b"voltage" in segment.read_bytes()
    assert verify(segment).status == WHOLE


def test_a_damaged_head_is_said_and_never_given_a_checksum(segment):
    data = segment.read_bytes()
    for damaged in (data.replace(b"voltage", b"current"), data.replace(b"\x0eexample", b"\x08example")):
        segment.write_bytes(damaged)
        before = content(segment.parent)
        outcome = repair(segment)
        assert (outcome.status, outcome.lost) == (1, RECORDS)
        assert outcome.error == "head damaged: its index tells another checksum of it"
        for make in (mend, rebuild_index):
            with pytest.raises(ArchiveError, match="head damaged"):
                make(segment)
        assert content(segment.parent) == before


def test_a_checksum_of_the_head_that_is_damaged_is_made_anew(segment):
    index = index_path(segment).read_bytes()
    index_path(segment).write_bytes(index[:37] + bytes([index[37] ^ 16]) + index[38:])
    assert verify(segment).index == ["its head is damaged"]
    outcome = repair(segment)
    assert (outcome.status, outcome.records, outcome.lost) == (0, RECORDS, 0)
    assert index_path(segment).read_bytes() == index


def test_a_head_that_contradicts_an_index_without_its_checksum_is_said(segment):
    data = segment.read_bytes()
    index_path(segment).write_bytes(made.without_crc(index_path(segment).read_bytes()))
    segment.write_bytes(
        data.replace(b"timestamp-nanos", b"timestamp-nanox").replace(b"unit\4ns", b"unit\4ms")
    )
    assert repair(segment).error.startswith(
        "head and index contradict each other: it tells other times than 3 blocks"
    )
    segment.write_bytes(data.replace(b"\x0eexample", b"\x08example"))
    assert repair(segment).error == "what its head said is damaged; with its index it can be read"
    os.truncate(segment, 0)
    assert repair(segment).error == "nothing of it is left, its index tells of 8 records"
    segment.write_bytes(data[:50])
    assert repair(segment).lines() == [f"{segment}: cannot be repaired: cut off in its head"]


def test_who_else_exchanges_files_is_waited_for_not_for_long(segment, monkeypatch):
    monkeypatch.setattr("speeddata.repair.PATIENCE_S", 0.05)
    index_path(segment).unlink()
    with alone_in(segment.parent):
        assert repair(segment).error == "another process exchanges files in its folder"
    assert repair(segment).status == 0


def test_what_was_left_in_a_folder_is_cleared_away(segment):
    left = segment.with_name(f".{segment.name}.repair.avro")
    left.write_bytes(b"half")
    other = segment.with_name(".example.next.avro")
    other.touch()
    tidy(segment.parent)
    assert not left.exists()
    assert other.exists()


def test_a_file_that_is_gone(segment):
    with pytest.raises(FileNotFoundError):
        repair(segment.with_name("none.avro"))


def test_an_outcome_as_json(segment):
    assert repair(segment).as_json() == {
        "path": str(segment),
        "done": None,
        "records": RECORDS,
        "lost": 0,
        "kept": None,
        "error": None,
    }
