import pytest
import segments as made

from speeddata.blocks import crc32c
from speeddata.index import (
    HEAD_SIZE,
    Seal,
    crc_of_head,
    entries_of,
    index_path,
    is_crc_damaged,
    mark_seal,
    pack_entry,
    pack_head,
    parse_head,
    seal_of,
    write_index,
)


def test_entries_are_those_of_the_format(tmp_path):
    path = made.write_segment(tmp_path / "example", [made.records(3), made.records(2, 3)], arrivals=[7, 8])
    entries = list(entries_of(index_path(path).read_bytes()[HEAD_SIZE:]))
    assert [(e.count, e.first_ns, e.min_ns, e.max_ns, e.arrival_ns) for e in entries] == [
        (3, made.START, made.START, made.START + 2_000_000, 7),
        (2, made.START + 3_000_000, made.START + 3_000_000, made.START + 4_000_000, 8),
    ]
    assert entries[0].offset + entries[0].length == entries[1].offset
    assert entries[1].offset + entries[1].length == path.stat().st_size


def test_an_entry_round_trip(tmp_path):
    path = made.write_segment(tmp_path / "example", [made.records(3)], arrivals=[7])
    packed = index_path(path).read_bytes()[HEAD_SIZE:]
    (entry,) = entries_of(packed)
    assert pack_entry(entry._replace(check=5)) == packed


def test_head_round_trip():
    head = pack_head(made.SYNC, 300, 5)
    assert len(head) == HEAD_SIZE
    assert parse_head(head) == (made.SYNC, 300)
    assert parse_head(head[:-1]) is None
    assert parse_head(b"X" + head[1:]) is None
    assert parse_head(head[:4] + b"\2" + head[5:]) is None
    assert crc_of_head(head) == 5


@pytest.mark.parametrize("crc", [0, 5, 0xFFFFFFFF])
def test_a_checksum_with_any_bit_flipped_is_not_told(crc):
    head = pack_head(made.SYNC, 300, crc)
    assert (crc_of_head(head), is_crc_damaged(head)) == (crc, False)
    for at in range(36, 44):
        for bit in range(8):
            flipped = head[:at] + bytes([head[at] ^ 1 << bit]) + head[at + 1 :]
            assert (crc_of_head(flipped), is_crc_damaged(flipped)) == (None, True)


def test_an_index_of_before_tells_no_checksum():
    head = made.without_crc(pack_head(made.SYNC, 300, 5))
    assert (crc_of_head(head), is_crc_damaged(head)) == (None, False)


def test_write_index_replaces_at_once_and_leaves_nothing_behind(tmp_path):
    path = made.write_segment(tmp_path / "example", [made.records(3)])
    before = index_path(path).read_bytes()
    _, first = parse_head(before)
    crc = crc32c(path.read_bytes()[: first - 16])
    written = write_index(path, made.SYNC, first, crc, before[HEAD_SIZE:])
    assert written == index_path(path)
    assert written.read_bytes() == before
    assert sorted(p.name for p in path.parent.iterdir()) == sorted([path.name, written.name])


def test_what_sealing_found_is_in_the_head_and_changes_nothing_else(tmp_path):
    path = made.write_segment(tmp_path / "example", [made.records(3)])
    before = index_path(path).read_bytes()
    assert seal_of(before) is Seal.UNSEEN
    assert mark_seal(path, made.SYNC, Seal.DAMAGED)
    after = index_path(path).read_bytes()
    assert seal_of(after) is Seal.DAMAGED
    assert after == before[:32] + b"\2\0\0\0" + before[36:]
    assert parse_head(after) == parse_head(before)
    assert after[:HEAD_SIZE] == pack_head(made.SYNC, parse_head(before)[1], crc_of_head(before), Seal.DAMAGED)


def test_the_index_of_another_segment_is_not_marked(tmp_path):
    path = made.write_segment(tmp_path / "example", [made.records(3)])
    before = index_path(path).read_bytes()
    assert not mark_seal(path, bytes(16), Seal.VERIFIED)
    assert index_path(path).read_bytes() == before
    assert seal_of(before[:32] + b"\x09" + before[33:]) is Seal.UNSEEN
    assert seal_of(b"") is Seal.UNSEEN


def test_an_index_has_the_rights_of_its_segment(tmp_path):
    path = made.write_segment(tmp_path / "example", [made.records(3)])
    path.chmod(0o604)
    written = write_index(path, made.SYNC, 64, 0, b"")
    assert written.stat().st_mode & 0o777 == 0o604
