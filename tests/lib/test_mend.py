"""What the end of a crash leaves. More of it is shown with the relay's repair at its start."""

import os

import pytest
import segments as made

from speeddata.index import entries_of, index_path
from speeddata.mend import Mended, is_sound, mend
from speeddata.segment import Segment, scan

BLOCKS = [made.records(3), made.records(2, 3), made.records(4, 5)]


@pytest.fixture
def segment(tmp_path):
    return made.write_segment(tmp_path / "example", BLOCKS)


def test_a_torn_tail_is_cut_and_the_index_made_anew(segment):
    ends, size = [block.offset + block.length for block in scan(segment)], segment.stat().st_size
    os.truncate(segment, size - 3)
    index_path(segment).unlink()
    assert mend(segment) == Mended(segment.name, size - 3 - ends[1], 2)
    assert segment.stat().st_size == ends[1]
    with Segment(segment) as opened:
        assert [entry.count for entry in entries_of(opened.entries)] == [3, 2]
    assert str(mend(segment)) == f"{segment.name}: cut 0 bytes of a torn tail, put 0 blocks into the index"


def test_a_last_block_that_never_reached_the_disk_is_cut(segment):
    last = scan(segment)[-1]
    with segment.open("r+b") as file:
        file.seek(last.offset)
        file.write(bytes(last.length))
    assert not is_sound(segment, last)
    assert mend(segment).cut_bytes == last.length
    assert is_sound(segment, scan(segment)[-1])


def test_what_has_no_index_gets_none(segment):
    index_path(segment).unlink()
    os.truncate(segment, segment.stat().st_size - 3)
    assert mend(segment, indexed=False).cut_bytes > 0
    assert not index_path(segment).exists()


def test_an_empty_file_is_left_alone(segment):
    os.truncate(segment, 0)
    assert mend(segment) == Mended(segment.name, 0, 0)
