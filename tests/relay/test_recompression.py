"""Compressed copies that take the place of segments: the same records, and at every instant a whole segment in the place."""

import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import avro.datafile
import avro.io
import fastavro
import pytest
import segments as made
from hypothesis import given
from hypothesis import strategies as st

from speeddata.archive import Archive
from speeddata.blocks import crc32c
from speeddata.errors import ArchiveError
from speeddata.folder_lock import alone_in
from speeddata.index import HEAD_SIZE, Seal, crc_of_head, entries_of, index_path, seal_of
from speeddata.relay.recompression import copy_path, finish, leftover_of, recompress
from speeddata.rollup_names import rollup_path
from speeddata.segment import Segment
from speeddata.verify import WHOLE, signature_of, verify

CODECS = ("zstandard", "deflate")
ROWS = made.records(600)


def go_on() -> None:
    pass


def stop() -> None:
    raise KeyboardInterrupt


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return segment(tmp_path)


def segment(folder: Path) -> Path:
    blocks = [ROWS[start : start + 200] for start in range(0, 600, 200)]
    return made.write_segment(
        folder / "example", blocks, arrivals=[7, 8, 9], metadata={"channel": "example", "x": "y"}
    )


def entries(path: Path) -> list[tuple[int, ...]]:
    """What the index tells of the records."""
    return [
        (e.count, e.first_ns, e.min_ns, e.max_ns, e.arrival_ns, e.flags)
        for e in entries_of(index_path(path).read_bytes()[HEAD_SIZE:])
    ]


def counters(folder: Path) -> list[int]:
    """What a query of everything gives."""
    with Archive(folder).open() as reader:
        assert reader.damages == []
        return [int(n) for n in reader.read(["counter"]).columns["counter"]]


@pytest.mark.parametrize("codec", CODECS)
def test_the_copy_has_the_same_records_and_is_read_by_everybody(path: Path, codec: str) -> None:
    before, size, status = entries(path), path.stat().st_size, path.stat()
    with Segment(path) as old:
        metadata, sync = dict(old.head.metadata), old.head.sync
    rollup_path(path).write_bytes(b"of the segment as it was")
    saved = recompress(path, codec, signature_of(path), go_on)
    assert not rollup_path(path).exists()
    assert saved == size - path.stat().st_size > 0
    assert entries(path) == before
    assert verify(path).status == WHOLE
    index = index_path(path).read_bytes()
    assert seal_of(index) is Seal.FINAL
    with Segment(path) as new:
        assert dict(new.head.metadata) == metadata | {"avro.codec": codec.encode()}
        assert new.head.sync != sync
        assert crc_of_head(index) == new.head.crc == crc32c(path.read_bytes()[: new.head.length - 16])
    assert (path.stat().st_mode, path.stat().st_mtime_ns) == (status.st_mode, status.st_mtime_ns)
    assert counters(path.parent) == [row["counter"] for row in ROWS]
    with path.open("rb") as file:
        assert list(fastavro.reader(file)) == ROWS
    with avro.datafile.DataFileReader(path.open("rb"), avro.io.DatumReader()) as reader:
        assert len(list(reader)) == len(ROWS)
    assert sorted(p.suffix for p in path.parent.iterdir()) == [".avro", ".idx"]


@given(
    st.lists(
        st.lists(st.tuples(st.integers(-(2**62), 2**62), st.text(max_size=30)), min_size=1, max_size=9),
        max_size=5,
    ),
    st.sampled_from(CODECS),
)
def test_any_records(tmp_path_factory: Any, blocks: list[list[tuple[int, str]]], codec: str) -> None:
    rows = [
        [made.record(n, time, message=message) for n, (time, message) in enumerate(block)] for block in blocks
    ]
    # Something that can be compressed, so that it is worth it.
    path = made.write_segment(tmp_path_factory.mktemp("any") / "example", [*rows, made.records(300)])
    before = entries(path)
    assert recompress(path, codec, signature_of(path), go_on) is not None
    assert entries(path) == before
    with path.open("rb") as file:
        assert list(fastavro.reader(file)) == [row for block in [*rows, made.records(300)] for row in block]


@pytest.mark.parametrize("sample", [100, 1 << 20])
def test_what_is_not_worth_it_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: int
) -> None:
    monkeypatch.setattr("speeddata.relay.recompression.SAMPLE", sample)
    schema = {
        "type": "record",
        "name": "r",
        "fields": [{"name": "time", "type": "long"}, {"name": "noise", "type": "bytes"}],
    }
    blocks = [[{"time": n, "noise": random.Random(n).randbytes(5000)}] for n in range(3)]
    path = made.write_segment(tmp_path / "example", blocks, schema)
    before = path.read_bytes(), index_path(path).read_bytes()
    assert recompress(path, "zstandard", signature_of(path), go_on) is None
    assert (path.read_bytes(), index_path(path).read_bytes()) == before
    assert len(list(path.parent.iterdir())) == 2


def change(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def replace(path: Path) -> None:
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)


@pytest.mark.parametrize("meddle", [change, replace, Path.unlink, lambda path: index_path(path).unlink()])
def test_a_segment_that_changes_meanwhile_is_left_alone(path: Path, meddle: Callable[[Path], None]) -> None:
    signature = signature_of(path)
    calls = iter(range(100))
    with pytest.raises(OSError, match="changed meanwhile|No such file"):
        recompress(path, "zstandard", signature, lambda: meddle(path) if next(calls) == 4 else None)
    assert not [one for one in path.parent.iterdir() if one.name.startswith(".")]
    if path.exists():
        assert path.read_bytes()[:4] == b"Obj\x01"
        with Segment(path) as left:
            assert left.head.codec == "null"


def test_a_segment_that_is_written_to_is_left_alone(path: Path) -> None:
    with path.open("ab"), pytest.raises(ArchiveError, match="changed meanwhile"):
        recompress(path, "zstandard", signature_of(path), go_on)
    assert len(list(path.parent.iterdir())) == 2


def test_a_repair_and_it_keep_out_of_each_others_way(path: Path) -> None:
    with alone_in(path.parent), pytest.raises(ArchiveError, match="a repair works"):
        recompress(path, "zstandard", signature_of(path), go_on)
    assert len(list(path.parent.iterdir())) == 2


def test_a_copy_that_reads_back_otherwise_does_not_take_the_place(path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(
        "speeddata.compression.Compressor.compress",
        lambda _, content: made.zstandard.compress(bytes(content)[::-1]),
    )
    before = path.read_bytes()
    with pytest.raises(ArchiveError, match="reads back otherwise"):
        recompress(path, "zstandard", signature_of(path), go_on)
    assert path.read_bytes() == before
    assert len(list(path.parent.iterdir())) == 2


def test_what_is_stopped_leaves_nothing(path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        recompress(path, "zstandard", signature_of(path), stop)
    assert len(list(path.parent.iterdir())) == 2


def killed_at(path: Path, event: int) -> bool:
    """Compress in a process that is killed before its n-th dealing with a file; False when it has finished before."""
    pid = os.fork()
    if pid == 0:
        seen = iter(range(1_000_000))

        def count(name: str, arguments: Any) -> None:
            if name.startswith(("open", "os.")) and "example" in str(arguments) and next(seen) == event:
                os.kill(os.getpid(), signal.SIGKILL)

        status = 1
        try:
            signature = signature_of(path)
            sys.addaudithook(count)
            recompress(path, "zstandard", signature, go_on)
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def test_killed_at_any_point_the_archive_is_whole_and_the_next_one_finishes(tmp_path: Path) -> None:
    states = set()
    for event in range(100):
        path = segment(tmp_path / str(event))
        before = entries(path)
        if not killed_at(path, event):
            break
        folder = path.parent
        assert counters(folder) == [row["counter"] for row in ROWS]
        with path.open("rb") as file:
            assert list(fastavro.reader(file)) == ROWS
        states.add(tuple(sorted(one.name[:1] + one.suffix for one in folder.iterdir())))
        left = {leftover_of(one.name) for one in folder.iterdir()} - {""}
        assert left <= {path.name}
        finish(path)
        assert verify(path).status == WHOLE
        assert entries(path) == before
        assert counters(folder) == [row["counter"] for row in ROWS]
        assert len(list(folder.iterdir())) == 2
    assert event > 10
    assert {("..avro", "..idx", "e.avro", "e.idx"), ("..idx", "e.avro", "e.idx")} <= states


def test_power_that_fails_between_the_two_names(path: Path) -> None:
    """The disk may know the later rename and not the earlier one."""
    old = path.read_bytes()
    before = entries(path)
    recompress(path, "zstandard", signature_of(path), go_on)
    path.rename(copy_path(path))
    path.write_bytes(old)
    assert counters(path.parent) == [row["counter"] for row in ROWS]
    finish(path)
    assert verify(path).status == WHOLE
    assert entries(path) == before
    with Segment(path) as segment:
        assert segment.head.codec == "zstandard"


def test_a_reader_goes_on_with_what_it_has_opened(path: Path) -> None:
    with Archive(path.parent).open() as reader:
        recompress(path, "deflate", signature_of(path), go_on)
        assert len(reader.read()) == len(ROWS)
        assert reader.damages == []


def test_a_reader_that_comes_between_the_two_steps(path: Path) -> None:
    """It has the old segment, and the index is the new one's; or it has the new one with the old index."""
    folder, old_index = path.parent, index_path(path).read_bytes()
    recompress(path, "zstandard", signature_of(path), go_on)
    index_path(path).write_bytes(old_index)
    assert counters(folder) == [row["counter"] for row in ROWS]


def test_nothing_to_finish(path: Path) -> None:
    before = path.read_bytes(), index_path(path).read_bytes()
    finish(path)
    assert (path.read_bytes(), index_path(path).read_bytes()) == before
    assert [leftover_of(name) for name in (".x.avro.seal.avro", ".x.avro.seal.idx", ".x.seal", "x.seal.avro")] == [
        "x.avro", "x.avro", "", "",
    ]  # fmt: skip


@pytest.mark.parametrize("codec", ["null", *CODECS])
def test_many_small_blocks_become_few(tmp_path: Path, codec: str) -> None:
    rows = made.records(3000)
    blocks = [rows[at : at + 1] for at in range(len(rows))]
    path = made.write_segment(tmp_path / "example", blocks, arrivals=[*range(len(rows))])
    assert recompress(path, codec, signature_of(path), go_on)
    report = verify(path)
    assert (report.status, report.odd_times, report.index) == (WHOLE, 0, [])
    told = [*entries_of(index_path(path).read_bytes()[HEAD_SIZE:])]
    assert len(told) <= 2
    assert (sum(one.count for one in told), told[-1].arrival_ns) == (3000, 2999)
    assert seal_of(index_path(path).read_bytes()) is (Seal.VERIFIED if codec == "null" else Seal.FINAL)
    assert counters(path.parent) == [row["counter"] for row in rows]


@given(st.lists(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=4), min_size=64, max_size=80))
def test_any_times_in_small_blocks(tmp_path_factory: Any, blocks: list[list[int]]) -> None:
    rows = [[made.record(n, time) for n, time in enumerate(block)] for block in blocks]
    path = made.write_segment(tmp_path_factory.mktemp("any") / "example", rows)
    assert recompress(path, "null", signature_of(path), go_on)
    report = verify(path)
    assert (report.status, report.odd_times) == (WHOLE, 0)
    with path.open("rb") as file:
        assert list(fastavro.reader(file)) == [row for block in rows for row in block]
