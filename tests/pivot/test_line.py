"""What a real relay records, read and exported while it does and afterwards."""

import math
import threading

import fastavro
import line
import pytest
import segments as made

from speeddata import read_avro, read_hdf5
from speeddata.archive import Archive, segment_paths
from speeddata.index import HEAD_SIZE, entries_of, index_path
from speeddata.pivot.export import Work, make_export
from speeddata.pivot.request import ExportRequest
from speeddata.segment import scan

SIZES = {"block_bytes": 65536, "rotation": {"bytes": 100_000, "seconds": 0}}


def export(folder, path, start=0, end=2**63 - 1):
    asked = ExportRequest(start, end, (folder.name,), ())
    with make_export(asked, {folder.name: Archive(folder)}, path.parent, Work()).file as file:
        path.write_bytes(file.read())
    return read_hdf5(path).channel[folder.name]


def test_readers_follow_a_relay(tmp_path):
    """While it writes and rotates, each reading is the records up to some block, in order and whole."""
    total = 20_000
    with line.running(line.make_spec(tmp_path, **SIZES)) as relay:
        rows = [{"time": made.START + n * 1000, "n": n, "value": n / 4} for n in range(total)]
        packets = made.encode_each(line.NUMBERED, rows)
        sender = threading.Thread(target=relay.send, args=packets)
        sender.start()
        archive = Archive(relay.folder)

        def read_all():
            with archive.open() as reader:
                table = reader.read()
            if len(table):
                assert table.columns["n"].tolist() == list(range(len(table)))
                assert (table.time_ns == made.START + table.columns["n"] * 1000).all()
            assert reader.damages == reader.gaps == []
            return len(table) == total

        line.wait_until(read_all, "all records")
        sender.join()
        assert archive.span() == (made.START, made.START + (total - 1) * 1000)
        relay.wait(archived=total)
    assert len(segment_paths(archive.folder)) > 3


@pytest.fixture
def recorded(tmp_path):
    """The folder of a channel recorded by a relay: with gaps, late records and times that cannot be right."""
    schema = {**line.NUMBERED, "fields": [{"name": "time", "type": "double"}, *line.NUMBERED["fields"][1:]]}
    spec = line.make_spec(tmp_path, schema, **SIZES, time_unit="s")
    times = [made.START / 1e9 + n - (n % 50 == 7) * 5.5 for n in range(12_000) if n % 100]
    for place in (500, 1500):
        times[place] = math.nan
    with line.running(spec) as relay:
        rows = [{"time": time, "n": n, "value": n / 8} for n, time in enumerate(times)]
        relay.send(*made.encode_each(schema, rows))
        relay.wait(archived=len(times))
        relay.stop()
        yield relay.folder


def test_the_index_of_a_relay_is_what_a_scan_finds(recorded):
    for path in segment_paths(recorded):
        written = list(entries_of(index_path(path).read_bytes()[HEAD_SIZE:]))
        assert written
        for entry, found in zip(written, scan(path), strict=True):
            assert entry[:3] == found[:3]
            assert (entry.flags, entry.crc) == (found.flags, found.crc)
            if not entry.flags & 2:
                assert entry[3:6] == found[3:6]


def test_export_equals_what_fastavro_reads(recorded, tmp_path):
    rows = line.read_records(recorded, recorded.name)
    good = [row for row in rows if not math.isnan(row["time"])]
    channel = export(recorded, tmp_path / "x.h5", 0, made.START + 10**14)
    wanted = sorted(good, key=lambda row: row["time"])
    assert channel.n.tolist() == [row["n"] for row in wanted]
    assert channel.value.tolist() == [row["value"] for row in wanted]
    assert abs(channel.time - [row["time"] for row in wanted]).max() < 1e-6
    everything = export(recorded, tmp_path / "x.h5")
    assert sorted(everything.n.tolist()) == sorted(row["n"] for row in rows), (
        "two of them by their receive time"
    )
    assert everything.damage == []


def test_segments_of_a_relay_are_read_one_by_one(recorded):
    for path in segment_paths(recorded):
        rows = sorted(row["n"] for row in by_fastavro(path))
        assert sorted(read_avro(path).test.n.tolist()) == rows


def by_fastavro(path):
    with path.open("rb") as file:
        return list(fastavro.reader(file))
