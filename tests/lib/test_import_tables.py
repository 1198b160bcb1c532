"""Files that are columns already: their rows are the records, whatever the pieces are."""

import io

import fastavro
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import segments

from speeddata import import_tables
from speeddata.dataset import Set
from speeddata.errors import FormatError
from speeddata.import_files import file_format, open_source
from speeddata.import_hdf5 import unlike_groups
from speeddata.import_options import ImportOptions
from speeddata.import_plan import fit_schema, make_schema
from speeddata.import_tables import kind_of_array, unit_of_times
from speeddata.import_work import parts_of
from speeddata.schema import Schema

START = 1_700_000_000 * 10**9


def imported(path, **options):
    """What is found, and the records by key."""
    source, _ = open_source(path, ImportOptions(**options), 100)
    try:
        found = source.examine(lambda _done, _total: None)
        made = found.schema or make_schema("x", found.fields, found.time_unit)
        fit = fit_schema("x", Schema.parse(made, time_unit=found.time_unit), found.time_unit, found)
        plain = {
            **made,
            "fields": [{**f, "type": "long"} if f["name"] == fit.schema.time else f for f in made["fields"]],
        }
        records = {key: [] for key in found.keys}
        for _, job in source.jobs(fit, set()):
            for key, count, body in job():
                stream = io.BytesIO(body)
                records[list(found.keys)[key]] += [
                    fastavro.schemaless_reader(stream, plain) for _ in range(count)
                ]
                assert stream.tell() == len(body)
    finally:
        source.close()
    return found, records


@pytest.fixture
def parquet(tmp_path):
    path = tmp_path / "t.parquet"
    columns = {
        "name": ["x", "y", None, "x"],
        "at": pa.array([START, START + 1000, START + 2000, START + 3000], pa.timestamp("ns")),
        "f": pa.array([1.5, None, 2.5, float("nan")], pa.float32()),
        "i": pa.array([1, 2, None, 4], pa.int16()),
        "u": pa.array([1, 2, 3, 4], pa.uint64()),
        "b": [True, False, None, True],
        "d": pa.array(["k", "l", "k", "k"]).dictionary_encode(),
        "w": [[1.0, 2.0], [], [3.0], [4.0]],
        "m": [{"a": 1}] * 4,
    }
    pq.write_table(pa.table(columns), path)
    return path


def test_parquet(parquet):
    found, records = imported(parquet)
    rows = records[""]
    assert [row["time"] for row in rows] == [(START + n * 1000) // 1000 for n in range(4)]
    assert found.time_unit == "us"
    assert [(one.name, one.type, one.nullable, one.array) for one in found.fields] == [
        ("name", "string", True, False), ("f", "float", True, False), ("i", "int", True, False), ("u", "long", False, False),
        ("b", "boolean", True, False), ("d", "string", False, False), ("w", "double", False, True),
    ]  # fmt: skip
    assert rows[1] == {
        "time": START // 1000 + 1,
        "name": "y",
        "f": None,
        "i": 2,
        "u": 2,
        "b": False,
        "d": "l",
        "w": [],
    }
    assert np.isnan(rows[3]["f"])
    assert found.notes == ["column 'm' of type struct<a: int64> is left out"]


def test_parquet_in_small_pieces_by_a_column(parquet, monkeypatch):
    whole = imported(parquet, by="d")[1]
    monkeypatch.setattr(import_tables, "ROWS", 1)
    found, records = imported(parquet, by="d")
    assert records == whole or str(records) == str(whole)
    assert (found.keys, len(found.chunks)) == ({"k": 3, "l": 1}, 4)


def test_parquet_of_local_time(tmp_path):
    path = tmp_path / "local.parquet"
    pq.write_table(pa.table({"time": pa.array([0], pa.timestamp("s")), "v": [1]}), path)
    assert imported(path, zone="Europe/Zurich")[1][""][0]["time"] == -3600
    pq.write_table(pa.table({"time": pa.array([5.5]), "v": [1]}), path)
    assert imported(path)[1][""][0]["time"] == 5500


@pytest.mark.parametrize(
    ("columns", "options", "error"),
    [
        ({"a": [1]}, {}, "no column of times"),
        ({"a": [1]}, {"time_column": ("b",)}, "no column 'b'"),
        ({"time": [1]}, {}, "no column is left"),
        ({"time": [1], "a": [1]}, {"columns": (("x", None),)}, "no column 'x'"),
        ({"time": [1, None], "a": [1, 2]}, {}, "times are null"),
    ],
)
def test_what_is_wrong_with_parquet_is_told(columns, options, error, tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table(columns), path)
    with pytest.raises(FormatError, match=error):
        imported(path, **options)


def test_exports_of_hdf5_come_back(tmp_path):
    path = tmp_path / "set.h5"
    times = START + np.arange(1000) * 10**6
    with h5py.File(path, "w") as file:
        for name in ("one", "two"):
            group = file.create_group(name)
            group["time"], group["v"] = times, np.arange(1000) * 1.5
            group["time"].attrs["unit"], group["v"].attrs["unit"] = "ns", "V"
    found, records = imported(path)
    assert (found.keys, found.fields[0].unit) == ({"one": 1000, "two": 1000}, "V")
    assert [row["v"] for row in records["two"]] == (np.arange(1000) * 1.5).tolist()
    assert imported(path, group="one")[0].keys == {"": 1000}
    assert unlike_groups(path, ImportOptions()) == []
    source, channel = open_source(path, ImportOptions(group="/one"), 100)
    source.close()
    assert channel == "set.one"
    assert Set.from_hdf5(path).one.v.tolist() == [row["v"] for row in records["one"]]


@pytest.mark.parametrize(
    ("make", "alike"),
    [
        (lambda group: group.create_dataset("w", data=[1.0]), False),
        (lambda group: group.create_dataset("v", data=[1]), False),
        (lambda group: group.create_dataset("v", data=[[1.0]]), False),
        (lambda group: group.create_dataset("v", data=[1.0]).attrs.update(unit="A"), False),
        (lambda group: group.create_dataset("v", data=[2.0]), True),
    ],
)
def test_groups_of_different_datasets_are_parts_of_a_file(make, alike, tmp_path):
    path = tmp_path / "my set.h5"
    with h5py.File(path, "w") as file:
        for name in ("a", "b/c"):
            file[f"{name}/time"] = [START]
        file["a/v"] = [1.0]
        make(file["b/c"])
        file["none"] = [1]
    parts = parts_of(path, ImportOptions(zone="UTC"))
    told = [(one.group, one.channel) for one in parts]
    assert told == ([(None, None)] if alike else [("a", "my-set.a"), ("b/c", "my-set.b-c")])
    assert {one.zone for one in parts} == {"UTC"}
    given = parts_of(path, ImportOptions(group="a", channel="x"))
    assert [(one.group, one.channel) for one in given] == [("a", "x")]
    if not alike:
        assert [one.channel for one in parts_of(path, ImportOptions(channel="x"))] == ["x.a", "x.b-c"]
        for one in parts:
            assert list(imported(path, group=one.group)[0].keys.values()) == [1]


def test_any_group_with_a_time(tmp_path):
    path = tmp_path / "other.h5"
    table = np.array([(1.5, 7, b"x")], [("Timestamp", "f8"), ("n", "i4"), ("s", "S3")])
    with h5py.File(path, "w") as file:
        file["deep/table"] = table
    found, records = imported(path)
    assert records[""] == [{"time": 1500, "n": 7, "s": "x"}]
    assert imported(path, time_unit="ms")[1][""][0]["time"] == 1500
    with h5py.File(path, "w") as file:
        file["x"] = [1]
    with pytest.raises(FormatError, match="no group with a dataset of times"):
        imported(path)


def test_segments_keep_their_schema(tmp_path):
    rows = [segments.record(n, segments.START + n) for n in range(100)]
    path = segments.write_segment(tmp_path / "a", [rows[:50], rows[50:]])
    found, records = imported(path)
    own = segments.SCHEMA if isinstance(segments.SCHEMA, dict) else None
    assert len(records[""]) == 100
    if own is not None:
        assert found.schema == own
    assert [set(row) for row in records[""]] == [set(row) for row in rows]
    with pytest.raises(FormatError, match="told by its schema"):
        imported(path, time_unit="s")


def test_the_name_of_a_copy_decides_its_channel_not_that_within(tmp_path):
    path = segments.write_segment(tmp_path / "q", [segments.records(5)])
    names = {path.name: "q", "other.avro": "other", "q.avro": "q", f"my-{path.name}": f"my-{path.stem}", f"{path.stem}.2.avro": f"{path.stem}.2"}  # fmt: skip
    for name, wanted in names.items():
        copy = tmp_path / name
        copy.write_bytes(path.read_bytes())
        source, channel = open_source(copy, ImportOptions(), 100)
        source.close()
        assert channel == wanted
    foreign = segments.write_segment(tmp_path / "f", [segments.records(5)], metadata={})
    source, channel = open_source(foreign, ImportOptions(), 100)
    source.close()
    assert channel == foreign.stem


@pytest.mark.parametrize(
    ("start", "form"),
    [
        (b"Obj\x01", "avro"),
        (b"PAR1", "parquet"),
        (b"\x89HDF\r\n\x1a\n", "hdf5"),
        (b"time,a", "csv"),
        (b"", "csv"),
    ],
)
def test_damaged_files_are_told(start, form, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(start)
    assert file_format(path) == form
    with pytest.raises(FormatError):
        imported(path)


def test_kinds_of_arrays():
    texts = np.array(["a", None], object)
    assert kind_of_array(texts).type == "string"
    assert kind_of_array(np.zeros((2, 3), np.float32)).array
    assert kind_of_array(np.array([b"a"], object)).type == "bytes"
    assert kind_of_array(np.array([object()], object)) is None
    assert kind_of_array(np.zeros(2, np.complex128)) is None
    assert [unit_of_times(np.array([t])) for t in (10**9, 10**6, 10**3, 1)] == [0, 1, 2, 3]
