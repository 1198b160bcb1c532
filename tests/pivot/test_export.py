import itertools
import random
import threading

import h5py
import pytest
import segments as made
from exports import MS, TYPES, export, flat, request, typed_record

from speeddata import read_hdf5
from speeddata.pivot.attendance import Stopped
from speeddata.pivot.export import PREFIX, sweep, temporary_folder
from speeddata.pivot.problem import Problem


@pytest.fixture
def archive(tmp_path):
    folder = tmp_path / "archive"
    made.write_segment(folder / "example", [made.records(3), made.records(4, 5)])
    made.write_segment(folder / "example", [made.records(3, 9)], start=made.START + 10**9)
    return folder


@pytest.mark.parametrize("batch", [3, 1000])
def test_all_types_come_back_as_fastavro_reads_them(tmp_path, batch, monkeypatch):
    monkeypatch.setattr("speeddata.reader.BATCH", batch)
    choose = random.Random(batch)
    rows = [typed_record(number, choose) for number in range(20)]
    blocks = [rows[at : at + 2] for at in range(0, 20, 2)]
    made.write_segment(tmp_path / "archive" / "all", blocks, TYPES, unit="s")
    path, _ = export(tmp_path / "archive", request("all"))
    channel = read_hdf5(path).all
    assert channel.time_ns.tolist() == [made.START + number * 10**9 for number in range(20)]
    assert list(channel.signal) == list(flat(rows[0]))
    for name in channel.signal:
        values = channel.signal[name].tolist()
        found = [value.tolist() if hasattr(value, "tolist") else value for value in values]
        assert repr(found) == repr([flat(row)[name] for row in rows]), name
    assert channel.signal["gps.lat"].unit == "deg"
    assert channel.small.unit == "°C"


def test_layout_is_the_documented_one(archive):
    path, done = export(archive, request("example", start=made.START, end=made.START + 11 * MS))
    with h5py.File(path) as file:
        assert (file.attrs["start"], file.attrs["end"]) == (
            "2023-11-14T22:13:20Z",
            "2023-11-14T22:13:20.011Z",
        )
        assert (file.attrs["start_ns"], file.attrs["end_ns"]) == (made.START, made.START + 11 * MS)
        assert (file.attrs["channels"], file.attrs["signals"], file.attrs["corrupt_blocks"]) == (
            "example",
            "",
            0,
        )
        group = file["example"]
        assert list(group) == ["time", "counter", "voltage", "message"]
        assert group["time"].attrs["unit"] == "ns"
        assert group["voltage"].attrs["unit"] == "V"
        assert group["counter"].attrs["unit"] == ""
        assert h5py.check_string_dtype(group["message"].dtype).encoding == "utf-8"
        assert group.attrs["gaps"].tolist() == [(made.START + 2 * MS, 2)]
        assert made.json.loads(group.attrs["schema"]) == made.SCHEMA
    assert done.damages == 0


@pytest.mark.parametrize("seed", range(10))
def test_both_ends_are_included(archive, seed):
    rows = made.records(3) + made.records(4, 5) + made.records(3, 9)
    low, high = sorted(random.Random(seed).sample(range(13), 2))
    asked = request("example", start=made.START + low * MS, end=made.START + high * MS)
    channel = read_hdf5(export(archive, asked)[0]).example
    assert channel.counter.tolist() == [row["counter"] for row in rows if low <= row["counter"] <= high]
    assert len(channel.voltage) == len(channel)


def test_versions_of_a_schema_are_exported_as_their_union(archive):
    newer = {**made.SCHEMA, "fields": [*made.SCHEMA["fields"], {"name": "more", "type": "long"}]}
    rows = [made.record(number, more=number * 7) for number in range(20, 25)]
    made.write_segment(archive / "example", [rows[:2], rows[2:]], newer, start=made.START + 2 * 10**9)

    for params in ({}, {"layout": "table"}, {"compression": "zstd"}):
        path, done = export(archive, request("example", **params))
        channel = read_hdf5(path).example
        assert done.damages == 0
        assert channel.counter.tolist() == [0, 1, 2, *range(5, 12), *range(20, 25)]
        assert channel.more.tolist() == [None] * 10 + [number * 7 for number in range(20, 25)]

    first = [0, 1, 2, *range(5, 12)]
    for counters, names in ((first, {"counter"}), ([*range(20, 25)], {"counter", "more"})):
        span = {"start": made.START + counters[0] * MS, "end": made.START + counters[-1] * MS}
        path, done = export(archive, request("example", **span))
        channel = read_hdf5(path).example
        assert done.damages == 0
        assert channel.counter.tolist() == counters
        assert set(channel.signal) == names | {"voltage", "message"}


def test_several_channels_and_chosen_signals(archive):
    made.write_segment(archive / "other", [made.records(2)])
    path, _ = export(archive, request("other", "example", signals=["voltage", "other.counter"]))
    data = read_hdf5(path)
    assert list(data.channel) == ["other", "example"]
    assert list(data.other.signal) == ["counter", "voltage"]
    assert list(data.example.signal) == ["voltage"]
    with pytest.raises(Problem, match="Signal not found"):
        export(archive, request("example", signals=["nosuch"]))
    assert not list(archive.glob(f"{PREFIX}*"))


def test_channels_without_records_are_empty_groups(archive):
    path, _ = export(archive, request("idle"))
    with h5py.File(path) as file:
        assert list(file["idle"]) == []
    assert len(read_hdf5(path).idle) == 0


def test_ranges_without_records_have_empty_signals(archive):
    data = read_hdf5(export(archive, request("example", start=0, end=5))[0])
    assert {name: signal.tolist() for name, signal in data.example.signal.items()} == {
        "counter": [], "voltage": [], "message": []
    }  # fmt: skip


def test_damage_is_in_the_file_and_in_the_log(archive, caplog):
    segment = min((archive / "example").glob("*.avro"))
    data = segment.read_bytes()
    at = data.index(b"m1")
    segment.write_bytes(data[:at] + b"!" + data[at + 1 :])
    path, done = export(archive, request("example"))
    assert done.damages == 1
    channel = read_hdf5(path).example
    assert channel.counter.tolist() == [5, 6, 7, 8, 9, 10, 11]
    assert [(d["reason"], d["records"], d["segment"]) for d in channel.damage] == [
        ("checksum", 3, segment.name)
    ]
    assert "checksum" in caplog.text
    with h5py.File(path) as file:
        assert file.attrs["corrupt_blocks"] == file["example"].attrs["corrupt_blocks"] == 1


def test_stop_ends_it_and_leaves_nothing(archive):
    for calls in itertools.count():
        stop = CountedStop(calls)
        try:
            export(archive, request("example"), stop)
            break
        except Stopped:
            assert not list(archive.glob(f"{PREFIX}*"))
    assert calls > 2


class CountedStop(threading.Event):
    """Set after it has been looked at so often."""

    def __init__(self, calls):
        super().__init__()
        self.calls = calls

    def is_set(self):
        self.calls -= 1
        return self.calls < 0


def test_large_exports_are_chunked_and_equal(tmp_path, monkeypatch):
    monkeypatch.setattr("speeddata.reader.BATCH", 1000)
    rows = made.records(10_000)
    made.write_segment(
        tmp_path / "archive" / "example", [rows[at : at + 500] for at in range(0, 10_000, 500)]
    )
    channel = read_hdf5(export(tmp_path / "archive", request("example"))[0]).example
    assert channel.counter.tolist() == list(range(10_000))
    assert channel.message.tolist() == [row["message"] for row in rows]
    assert channel.time_ns.tolist() == [row["time"] for row in rows]


def test_what_a_killed_service_left_is_swept(tmp_path):
    (tmp_path / f"{PREFIX}x.h5").write_bytes(b"")
    (tmp_path / "other").write_bytes(b"")
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_exports_are_made_on_the_disk_of_the_archive(tmp_path):
    assert temporary_folder(tmp_path) == tmp_path
    assert temporary_folder(tmp_path / "nosuch").is_dir()
