import pytest
import segments as made

from speeddata.index import ENTRY_SIZE, HEAD_SIZE, entries_of, index_path
from speeddata.index_state import (
    blocks_behind,
    entries_that_hold,
    index_faults,
    is_indexed,
    read_index,
    records_told,
)
from speeddata.segment import Segment

BLOCKS = [made.records(3), made.records(2, 3), made.records(4, 5)]


@pytest.fixture
def path(tmp_path):
    return made.write_segment(tmp_path / "example", BLOCKS)


@pytest.fixture
def index(path):
    return read_index(path)


def faults(path, index, growing=False):
    with Segment(path) as segment:
        return index_faults(index, segment, growing)


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_a_whole_index_has_no_faults(path, index):
    assert index == index_path(path).read_bytes()
    assert faults(path, index) == []
    assert entries_that_hold(index, path.stat().st_size) == index[HEAD_SIZE:]
    assert records_told(index) == 9
    with Segment(path) as segment:
        assert is_indexed(segment)
        assert blocks_behind(index, segment) == []


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda _: None, "missing"),
        (lambda _: b"", "its head is damaged"),
        (lambda index: flip(index, 0), "its head is damaged"),
        (lambda index: flip(index, 9), "it is of another file, or its head is damaged"),
        (lambda index: flip(index, 24), "it is of another file, or its head is damaged"),
        (lambda index: flip(index, 36), "its head is damaged"),
        (lambda index: flip(index, 43)[:-ENTRY_SIZE], "its head is damaged, 1 block is not in it"),
        (made.without_crc, ""),
        (lambda index: index[:-1], "cut off in an entry, 1 block is not in it"),
        (lambda index: index[:-ENTRY_SIZE], "1 block is not in it"),
        (lambda index: flip(index, HEAD_SIZE + 3), "1 of its entries is damaged, 1 block is not in it"),
        (lambda index: index + index[-ENTRY_SIZE:], "1 of its entries are out of place"),
    ],
)
def test_what_is_wrong_is_said(path, index, spoil, told):
    spoiled = spoil(index)
    index_path(path).unlink()
    if spoiled is not None:
        index_path(path).write_bytes(spoiled)
    assert ", ".join(faults(path, read_index(path))) == told


def test_the_index_of_a_growing_segment_may_lack_the_newest(path, index):
    for size in range(HEAD_SIZE, len(index)):
        index_path(path).write_bytes(index[:size])
        assert faults(path, index[:size], growing=True) == []
    assert faults(path, flip(index, len(index) - ENTRY_SIZE), growing=True) == []
    assert faults(path, flip(index, HEAD_SIZE), growing=True) == ["1 of its entries is damaged"]


def test_blocks_behind_the_end_are_told_by_the_index_of_that_segment_alone(path, index):
    entries = list(entries_of(index[HEAD_SIZE:]))
    with path.open("r+b") as file:
        file.truncate(entries[1].offset + 1)
    with Segment(path) as segment:
        assert blocks_behind(index, segment) == entries[1:]
        assert blocks_behind(flip(index, 9), segment) == []
        assert blocks_behind(None, segment) == []
        assert index_faults(index, segment, False) == []


def test_records_are_not_told_by_an_index_that_is_damaged(index):
    assert records_told(None) is None
    assert records_told(b"") is None
    assert records_told(flip(index, HEAD_SIZE)) is None


def test_other_containers_need_no_index(tmp_path):
    path = made.write_segment(tmp_path / "other", BLOCKS, index=False, metadata={})
    with Segment(path) as segment:
        assert not is_indexed(segment)
        assert index_faults(None, segment, False) == []


def test_an_index_that_is_a_link_is_none(path, tmp_path):
    index_path(path).rename(tmp_path / "elsewhere")
    index_path(path).symlink_to(tmp_path / "elsewhere")
    assert read_index(path) is None
