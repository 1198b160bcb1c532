"""The writer: segments and indexes on the disk, rotation, the watermark, and what happens when the disk refuses."""

import io
import os
import re
import time

import avro.datafile
import avro.io
import fastavro
import polars
import pytest
from line import chunks, make_spec, numbered, read_records, running, wait_until

from speeddata.index import ENTRY_SIZE, HEAD_SIZE, crc_of_head, entries_of, index_path
from speeddata.segment import Segment

NAME = re.compile(r"test_\d{8}T\d{6}\.\d{6}Z\.avro")


def segments(line):
    return sorted(line.folder.glob("test_*.avro"))


def test_names_and_metadata(tmp_path):
    with running(make_spec(tmp_path)) as line:
        line.send(numbered(1))
        line.wait(archived=1)
        (path,) = segments(line)
        assert NAME.fullmatch(path.name)
        with path.open("rb") as file:
            metadata = fastavro.reader(file).metadata
    assert metadata["avro.codec"] == "null"
    assert metadata["speeddata.channel"] == "test"
    assert metadata["speeddata.time_unit"] == "ns"


def test_an_open_segment_is_read_by_others(tmp_path):
    with running(make_spec(tmp_path)) as line:
        line.send(*(numbered(n, float(n)) for n in range(1000)))
        line.wait(archived=1000)
        (path,) = segments(line)
        numbers = list(range(1000))
        assert [r["n"] for r in read_records(line.folder)] == numbers
        with avro.datafile.DataFileReader(path.open("rb"), avro.io.DatumReader()) as reader:
            assert [r["n"] for r in reader] == numbers
        assert polars.read_avro(io.BytesIO(path.read_bytes()))["n"].to_list() == numbers


def test_the_index_tells_every_block(tmp_path):
    with running(make_spec(tmp_path, block_bytes=65536)) as line:
        times = [10**18 + n * 1000 for n in range(9000)]
        line.send(*chunks([numbered(n, 0.0, t) for n, t in enumerate(times)], 100))
        line.wait(archived=9000)
        (path,) = segments(line)
        data, index = path.read_bytes(), index_path(path).read_bytes()
        entries = list(entries_of(index[HEAD_SIZE:]))
        assert len(entries) == line.stats["blocks"] > 2
        assert len(index) == HEAD_SIZE + ENTRY_SIZE * len(entries)
        assert sum(e.count for e in entries) == 9000
        done = 0
        for entry in entries:
            of_block = times[done : done + entry.count]
            assert (entry.first_ns, entry.min_ns, entry.max_ns) == (of_block[0], of_block[0], of_block[-1])
            assert (entry.flags, abs(entry.arrival_ns - time.time_ns()) < 60 * 10**9) == (0, True)
            done += entry.count
        assert entries[-1].offset + entries[-1].length == len(data)
        damages = []
        with Segment(path) as segment:
            assert sum(p.count for p in segment.read(segment.entries, damages)) == 9000
            assert crc_of_head(index) == segment.head.crc
        assert damages == []


def test_rotation_by_size_loses_nothing(tmp_path):
    spec = make_spec(tmp_path, block_bytes=65536, rotation={"bytes": 200_000, "seconds": 0})
    with running(spec) as line:
        line.send(*chunks([numbered(n) for n in range(60_000)], 200))
        line.wait(archived=60_000)
        paths = segments(line)
        assert len(paths) == line.stats["segments"] > 4
        assert all(path.stat().st_size <= 200_000 for path in paths)
        assert [r["n"] for r in read_records(line.folder)] == list(range(60_000))


def test_rotation_by_age_seals_a_silent_segment(tmp_path):
    with running(make_spec(tmp_path, rotation={"bytes": 0, "seconds": 1})) as line:
        line.send(numbered(1))
        line.wait(archived=1, durable=1)
        wait_until(lambda: line.stats["fsyncs"] >= 2, "the seal")
        line.send(numbered(2))
        assert line.wait(archived=2)["segments"] == 2


def test_the_watermark_follows(tmp_path):
    with running(make_spec(tmp_path, flush_interval_s=3600.0)) as line:
        line.send(numbered(1) + numbered(2))
        stats = line.wait(archived=2)
        assert (stats["durable"], stats["durable_until"]) == (0, None)
        (source,) = line.mapping.sources()
        stats = line.stop()
        assert (stats["durable"], stats["durable_until"]) == (2, source["last"])


def test_no_leftovers_after_a_stop(tmp_path):
    with running(make_spec(tmp_path)) as line:
        line.send(numbered(1))
        line.wait(archived=1)
        wait_until(lambda: list(line.folder.glob(".test.next.avro")), "the segment made ready")
        line.stop()
        assert {p.suffix for p in line.folder.iterdir()} == {".avro", ".idx", ""}
        assert not list(line.folder.glob(".test.next.*"))


def test_a_successor_cuts_off_what_did_not_count(tmp_path):
    """A relay killed between writing a block and letting it count: its successor may write that block elsewhere."""
    with running(make_spec(tmp_path)) as line:
        line.send(*(numbered(n) for n in range(10)))
        line.wait(archived=10)
        (path,) = segments(line)
        counted = path.read_bytes(), index_path(path).read_bytes()
        for file, data in ((path, b"a block that does not count"), (index_path(path), bytes(ENTRY_SIZE))):
            with file.open("ab") as end:
                end.write(data)
        line.relay._writer().resume()
        assert (path.read_bytes(), index_path(path).read_bytes()) == counted


@pytest.mark.parametrize("spoil", ["exchanged", "cut"])
def test_a_successor_leaves_a_segment_alone_that_is_another_now(tmp_path, spoil):
    """As `speeddata repair` may have exchanged it between two relays."""
    with running(make_spec(tmp_path, flush_interval_s=60)) as line:
        line.send(*(numbered(n) for n in range(10)))
        line.wait(archived=10, durable=0)
        (path,) = segments(line)
        data = path.read_bytes()
        if spoil == "exchanged":
            sync = data[-16:]
            path.unlink()
            path.write_bytes(data.replace(sync, bytes(16)))
        else:
            os.truncate(path, len(data) - 5)
        left = path.read_bytes()
        line.relay._writer().resume()
        assert path.read_bytes() == left
        assert line.stats["archived"] + line.stats["not_archived"]["io"] == 10


def test_a_segment_that_is_deleted_is_followed_by_another(tmp_path):
    with running(make_spec(tmp_path)) as line:
        line.send(numbered(1))
        line.wait(archived=1, durable=1)
        for path in line.folder.glob("test_*"):
            path.unlink()
        line.send(numbered(2))
        line.wait(archived=2, durable=2, segments=2)
        assert [r["n"] for r in read_records(line.folder)] == [2]


@pytest.mark.parametrize("ending", ["avro", "idx"])
def test_a_segment_that_is_cut_is_followed_by_another(tmp_path, ending):
    with running(make_spec(tmp_path)) as line:
        line.send(numbered(1))
        line.wait(archived=1, durable=1)
        (path,) = line.folder.glob(f"test_*.{ending}")
        os.truncate(path, 10)
        line.send(numbered(2))
        line.wait(archived=2, durable=2, segments=2)
        with segments(line)[1].open("rb") as file:
            assert [r["n"] for r in fastavro.reader(file)] == [2]


def test_without_the_segment_made_ready_rotation_loses_nothing(tmp_path):
    rotation = {"bytes": 100_000, "seconds": 0}
    with running(make_spec(tmp_path, rotation=rotation, block_bytes=65536)) as line:
        line.send(numbered(0))
        wait_until(lambda: list(line.folder.glob(".test.next.*")))
        for start in range(1, 10_000, 1000):
            for ready in line.folder.glob(".test.next.*"):
                ready.unlink()
            line.send(*chunks([numbered(n) for n in range(start, start + 1000)], 100))
            line.wait(archived=start + 1000)
        assert line.stats["segments"] > 1
        assert [r["n"] for r in read_records(line.folder)] == list(range(10_001))


@pytest.mark.parametrize("durability", ["block", "none"])
def test_blocks_are_flushed_one_by_one_or_when_the_segment_is_sealed(tmp_path, durability):
    with running(make_spec(tmp_path, durability=durability, flush_interval_s=0.01, block_age_s=0.01)) as line:
        for n in range(5):
            line.send(numbered(n))
            line.wait(archived=n + 1, **({"durable": n + 1} if durability == "block" else {}))
        fsyncs, durable = line.stats["fsyncs"], line.stats["durable"]
        assert (fsyncs, durable) == ((5, 5) if durability == "block" else (0, 0))
        line.stop()
        assert line.stats["durable"] == 5
