"""Segments of the shared relay: what is in the files, and that each can be taken back, reopened, rescued."""

import contextlib
import os
from pathlib import Path

import fastavro
import pytest
from channels import plan_of
from store_client import NUMBERED, START, numbers, records

from speeddata.index import entries_of, index_path
from speeddata.plan import TIME_UNITS
from speeddata.relay.channel import segment_header
from speeddata.relay.ingest_segment import IngestSegment, sync_file_system
from speeddata.segment import Segment
from speeddata.verify import WHOLE, verify

PLAN = plan_of(NUMBERED)
NS = TIME_UNITS["ns"]
HEADER = segment_header("x", PLAN.schema.text, "ns")
START_US = START // 1000


@pytest.fixture
def segment(tmp_path: Path) -> IngestSegment:
    (tmp_path / "x").mkdir()
    one = IngestSegment("x", str(tmp_path / "x"), HEADER, NS)
    one.begin(START_US)
    return one


def path_of(segment: IngestSegment) -> Path:
    return Path(segment.folder) / segment.name


@pytest.mark.parametrize("block_bytes", [30, 1000, 1 << 18])
def test_what_is_appended_is_a_segment_as_a_relay_writes_it(segment: IngestSegment, block_bytes: int) -> None:
    for first in range(0, 2000, 500):
        segment.append(records(first, 500, block_bytes))
    path = path_of(segment)
    assert path.name == "x_20231114T221320.000000Z.avro"
    with path.open("rb") as file:
        assert [row["n"] for row in fastavro.reader(file)] == list(range(2000))
    assert verify(path).status == WHOLE
    index = index_path(path).read_bytes()
    with Segment(path) as found:
        assert index[64:] == found.entries
        assert segment.place == (found.size, len(found.entries) // 64, 2000)
    assert {entry.arrival_ns for entry in entries_of(index[64:])} == {START_US * 1000}


def test_a_name_that_is_taken_gives_way_to_the_next_microsecond(segment: IngestSegment) -> None:
    second = segment.sibling()
    second.begin(START_US)
    assert second.name == "x_20231114T221320.000001Z.avro"
    assert sorted(one.name for one in Path(segment.folder).glob(".*")) == []


def test_it_is_taken_back_and_goes_on(segment: IngestSegment) -> None:
    segment.append(records(0, 10))
    place = segment.place
    segment.append(records(10, 10))
    segment.close()
    segment.undo(place)
    segment.append(records(20, 10))
    segment.close()
    assert numbers(Path(segment.folder)) == [*range(10), *range(20, 30)]


def test_it_goes_on_after_it_was_closed(segment: IngestSegment) -> None:
    for first in range(0, 30, 10):
        segment.reopen()
        segment.check()
        segment.append(records(first, 10))
        segment.close()
    assert not segment.is_open
    assert numbers(Path(segment.folder)) == list(range(30))


def test_what_was_written_beyond_its_end_is_cut(segment: IngestSegment) -> None:
    segment.append(records(0, 10))
    segment.close()
    with path_of(segment).open("ab") as file:
        file.write(b"torn")
    segment.reopen()
    assert path_of(segment).stat().st_size == segment.place[0]


@pytest.mark.parametrize("harm", ["unlink", "cut", "other"])
def test_a_segment_that_is_not_what_it_was_is_told(segment: IngestSegment, harm: str) -> None:
    segment.append(records(0, 10))
    path = path_of(segment)
    if harm == "unlink":
        path.unlink()
    elif harm == "cut":
        os.truncate(path, 100)
    else:
        segment.close()
        path.write_bytes(bytes(10_000))
    with contextlib.suppress(OSError):
        segment.reopen()
    with pytest.raises(OSError, match="file"):
        segment.check()


def test_what_is_not_on_the_disk_is_copied(segment: IngestSegment) -> None:
    segment.append(records(0, 10))
    segment.sync()
    segment.append(records(10, 10))
    segment.append(records(20, 10))
    assert (segment.pending, segment.synced) == (20, (segment.synced[0], 1))
    fresh = segment.sibling()
    fresh.begin(START_US + 1)
    assert segment.rescue(fresh) == 20
    segment.give_up()
    assert (segment.pending, segment.records) == (0, 10)
    assert numbers(Path(segment.folder)) == list(range(30))


def test_a_block_that_is_damaged_is_not_copied(segment: IngestSegment) -> None:
    segment.append(records(0, 10))
    place = segment.place[0]
    segment.append(records(10, 10))
    with path_of(segment).open("r+b") as file:
        file.seek(place - 30)
        file.write(b"\xff")
    fresh = segment.sibling()
    fresh.begin(START_US + 1)
    assert segment.rescue(fresh) == 10


def test_it_can_be_removed(segment: IngestSegment) -> None:
    segment.remove()
    assert list(Path(segment.folder).iterdir()) == []


def test_a_file_system_is_brought_to_the_disk(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_RDONLY)
    sync_file_system(fd)
    os.close(fd)
    with pytest.raises(OSError, match="descriptor"):
        sync_file_system(fd)
