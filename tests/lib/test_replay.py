"""Archived records one by one; that they arrive, and when, is shown by test_commands.py."""

import pytest
import segments as made

from speeddata.errors import ArchiveError
from speeddata.replay import in_turn, shifted, tracks_of
from speeddata.unpack import Records

MS = 1_000_000


def write(folder, name, rows):
    return made.write_segment(folder / name, rows)


def test_records_come_byte_for_byte_in_the_order_of_time_across_channels(tmp_path):
    even = [made.records(5), [made.record(n) for n in range(5, 10)]]
    odd = [[made.record(n, made.START + n * MS + MS // 2) for n in range(10)]]
    write(tmp_path, "even", even)
    write(tmp_path, "odd", odd)
    tracks = tracks_of([tmp_path])
    assert [(track.name, track.count) for track in tracks] == [("even", 10), ("odd", 10)]
    items = list(in_turn(tracks))
    assert [item.track.name for item in items] == ["even", "odd"] * 10
    assert [item.data for item in items[::2]] == made.encode_each(made.SCHEMA, sum(even, []))
    assert [item.due_ns - made.START for item in items] == [n * MS // 2 for n in range(20)]


def test_a_range_is_that_of_the_records(tmp_path):
    write(tmp_path, "a", [made.records(5), made.records(5, 5)])
    (track,) = tracks_of([tmp_path / "a"], made.START + 2 * MS, made.START + 7 * MS)
    assert [item.due_ns - made.START for item in track.items()] == [n * MS for n in range(2, 7)]
    assert tracks_of([tmp_path], made.START + 100 * MS) == []


def test_a_record_that_is_older_goes_with_the_one_before(tmp_path):
    times = [10, 30, 20, 40]
    write(tmp_path, "a", [[made.record(n, made.START + at * MS) for n, at in enumerate(times)]])
    items = list(in_turn(tracks_of([tmp_path])))
    assert [(item.due_ns - made.START) // MS for item in items] == [10, 30, 30, 40]
    assert [Records(item.plan, item.data).__next__()[1]["counter"] for item in items] == [0, 1, 2, 3]


def test_a_shifted_record_is_the_same_but_for_its_time(tmp_path):
    write(tmp_path, "a", [made.records(3)])
    for item in in_turn(tracks_of([tmp_path])):
        ((time_ns, record),) = Records(item.plan, item.data, "ns")
        ((moved_ns, moved),) = Records(item.plan, shifted(item, 123), "ns")
        assert moved_ns == time_ns + 123
        assert moved == {**record, "time": record["time"] + 123}


def test_damage_is_left_out_and_told(tmp_path):
    path = write(tmp_path, "a", [made.records(5), made.records(5, 5), made.records(5, 10)])
    path.write_bytes(path.read_bytes().replace(b"m7", b"!7"))
    (track,) = tracks_of([path])
    assert len(list(track.items())) == 10
    assert ["checksum" in words for words in track.damages] == [True]


def test_what_cannot_be_replayed_is_told(tmp_path):
    (tmp_path / "x.avro").write_bytes(b"nonsense")
    with pytest.raises(ArchiveError, match="not an Avro container"):
        tracks_of([tmp_path])
