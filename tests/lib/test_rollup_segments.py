import os
from pathlib import Path

import pytest
import rolled
import segments as made

from speeddata import rollup_segments
from speeddata.archive import Archive
from speeddata.index import Seal, mark_seal
from speeddata.rollup_file import RollupFile, make_rollup
from speeddata.rollup_segments import Segments
from speeddata.segment import Segment

S = 10**9
START = made.START


@pytest.fixture
def folder(tmp_path):
    for number in range(3):
        rolled.segment(tmp_path / "c", number, rolled.steady_rows(100, number * 100))
    return tmp_path / "c"


def test_what_there_is(folder):
    view = Segments(Archive(folder)).look()
    assert (view.count, view.span) == (300, (START, START + 299 * S))
    assert [one.name for one in view.signals] == ["real", "whole", "flag"]
    assert [one.count for one in view.within(START + 100 * S, START + 150 * S)] == [100]
    assert view.count_within(START, START + 150 * S, 3) == 2
    assert view.damages_within(START, START + 500 * S) == 0
    assert view.finest_within(START - 9 * S, START - S) is None


@pytest.mark.parametrize("made_one", [False, True])
def test_without_records_there_is_nothing(tmp_path, made_one):
    if made_one:
        made.write_segment(tmp_path / "c", [])
    view = Segments(Archive(tmp_path / "c")).look()
    assert (view.count, view.span, view.within(-(2**63), 2**63 - 1)) == (0, None, [])
    assert bool(view.signals) == made_one


def test_a_look_that_finds_nothing_changed_opens_nothing(folder, monkeypatch):
    segments = Segments(Archive(folder))
    view = segments.look()
    monkeypatch.setattr("speeddata.archive.Segment", None)
    monkeypatch.setattr(rollup_segments, "RollupFile", None)
    assert segments.look() is view


def sealed(folder):
    """Seal the segments of a folder that has not changed for long."""
    for path in folder.glob("*.avro"):
        make_rollup(path, lambda: None)
        with Segment(path) as segment:
            assert mark_seal(path, segment.head.sync, Seal.FINAL)
    os.utime(folder, (1e9, 1e9))


def test_of_sealed_segments_a_look_asks_the_folder_alone(folder, monkeypatch):
    sealed(folder)
    segments = Segments(Archive(folder))
    view = segments.look()
    assert view.growing == ()
    stated = []
    real = Path.lstat
    monkeypatch.setattr(Path, "lstat", lambda path: (stated.append(path), real(path))[1])
    monkeypatch.setattr("speeddata.archive.os.scandir", None)
    assert segments.look() is view
    assert stated == [folder]


def test_a_rollup_that_is_made_is_seen_at_once(folder):
    segments = Segments(Archive(folder))
    before = segments.look()
    os.utime(folder, (1e9, 1e9))
    assert segments.look() is before
    make_rollup(before.segments[1].path, lambda: None)
    after = segments.look()
    assert [one.rollup is not None for one in after.segments] == [False, True, False]
    assert after.segments[0] is before.segments[0]


def test_a_rollup_of_no_use_is_looked_into_once(folder, monkeypatch):
    path = next(folder.glob("*.avro"))
    path.with_suffix(".rollup").write_bytes(b"not a rollup")
    tried = []
    real = RollupFile.open
    monkeypatch.setattr(rollup_segments.RollupFile, "open", lambda path: (tried.append(path), real(path))[1])
    segments = Segments(Archive(folder))
    for number in range(3, 6):
        rolled.segment(folder, number, rolled.steady_rows(1, number * 100))
        assert len(segments.look().segments) == number + 1
    assert tried == [path]


def test_growth_is_seen_at_once(folder):
    segments = Segments(Archive(folder))
    before = segments.look()
    rolled.segment(folder, 2, rolled.steady_rows(150, 200))
    rolled.segment(folder, 3, rolled.steady_rows(1, 900))
    after = segments.look()
    assert (before.count, after.count) == (300, 351)
    assert after.segments[0] is before.segments[0]


def test_an_older_segment_that_nobody_sealed_is_looked_at_too(folder):
    """Two processes may write segments of one channel, one of them seldom."""
    for number in range(3, 40):
        rolled.segment(folder, number, rolled.steady_rows(1, number * 100))
    segments = Segments(Archive(folder))
    first = segments.look().segments[0].path
    make_rollup(first, lambda: None)
    os.utime(first, ns=(1, 1))
    os.utime(folder, (1e9, 1e9))
    assert segments.look().count == 337
    with first.open("ab") as file:
        file.write(made.block(1, made.encode(rolled.SCHEMA, rolled.steady_rows(1, 150)), bytes(16)))
    assert segments.look().count == 338


def test_an_older_segment_that_is_cut_is_seen_at_once(folder):
    segments = Segments(Archive(folder))
    path = segments.look().segments[0].path
    os.utime(folder, (1e9, 1e9))
    assert segments.look().count == 300
    os.truncate(path, path.stat().st_size - 100)
    os.utime(path, ns=(1, 1))
    assert segments.look().count < 300


def test_the_token_tells_what_has_changed_in_a_range(folder):
    segments = Segments(Archive(folder))
    ranges = {
        "old": (START, START + 50 * S),
        "new": (START + 210 * S, START + 260 * S),
        "later": (START + 400 * S, START + 500 * S),
    }

    def tokens():
        view = segments.look()
        return {name: view.token(*ends) for name, ends in ranges.items()}

    before = tokens()
    assert before == tokens()
    rows = rolled.steady_rows(100, 200)
    blocks = [rows[:34], rows[34:68], rows[68:]]
    extra = rolled.steady_rows(10, 450)
    made.write_segment(folder, [*blocks, extra], rolled.SCHEMA, start=START + 2 * S, sync=bytes([2] * 16))
    after = tokens()
    assert [name for name in ranges if after[name] != before[name]] == ["later"]
    late = rolled.steady_rows(5, 20)
    made.write_segment(
        folder, [*blocks, extra, late], rolled.SCHEMA, start=START + 2 * S, sync=bytes([2] * 16)
    )
    last = tokens()
    assert [name for name in ranges if last[name] != after[name]] == ["old"]


def test_segments_that_cannot_be_read_are_counted(folder):
    path = Segments(Archive(folder)).look().segments[1].path
    path.write_bytes(b"not a segment at all")
    path.with_suffix(".idx").unlink()
    view = Segments(Archive(folder)).look()
    assert (view.count, view.unreadable) == (200, 1)


def test_the_first_segments_that_are_steady(folder, monkeypatch):
    assert len(Segments(Archive(folder)).look().steady(9).segments) == 0
    for one in Segments(Archive(folder)).look().segments[:2]:
        make_rollup(one.path, lambda: None)
    steady = Segments(Archive(folder)).look().steady(9)
    assert (len(steady.segments), steady.rows) == (2, 2)
    monkeypatch.setattr(rollup_segments, "QUIET_NS", -1)
    assert len(Segments(Archive(folder)).look().steady(9).segments) == 2, "the last one may grow"
