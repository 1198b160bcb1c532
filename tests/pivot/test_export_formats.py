import io
import json
import random
import subprocess
import zipfile
from datetime import datetime

import duckdb
import fastavro
import h5py
import numpy as np
import pandas as pd
import polars
import pyarrow.parquet as pq
import pytest
import segments as made
from exports import MS, TYPES, export, flat, request, typed_record
from pyarrow import ipc

from speeddata import read_avro, read_hdf5
from speeddata.pivot.export_formats import DEFAULT, FORMATS, accepted

CHOOSE = random.Random(7)
ROWS = [typed_record(number, CHOOSE) for number in range(300)]
TABULAR = ("parquet", "arrow", "csv", "jsonl", "avro")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats") / "archive"
    made.write_segment(folder / "all", [ROWS[at : at + 20] for at in range(0, 300, 20)], TYPES, unit="s")
    made.write_segment(folder / "example", [made.records(3), made.records(4, 5)])
    made.write_segment(folder / "example", [made.records(3, 9)], start=made.START + 10**9)
    return folder


def ns(row):
    return made.START + row["number"] * 10**9


@pytest.mark.parametrize("compression", FORMATS["hdf5"].compressions)
@pytest.mark.parametrize("layout", FORMATS["hdf5"].layouts)
def test_hdf5_of_every_kind_is_the_archive(archive, layout, compression):
    path, done = export(archive, request("all", "example", layout=layout, compression=compression))
    data = read_hdf5(path)
    assert data.all.time_ns.tolist() == [ns(row) for row in ROWS]
    assert list(data.all.signal) == list(flat(ROWS[0]))
    for name, signal in data.all.signal.items():
        found = [value.tolist() if hasattr(value, "tolist") else value for value in signal.tolist()]
        assert repr(found) == repr([flat(row)[name] for row in ROWS]), name
    assert data.all.signal["gps.lat"].unit == "deg"
    assert data.example.gaps == [(made.START + 2 * MS, 2)]
    assert (done.media, done.suffix) == ("application/x-hdf5", ".h5")
    with h5py.File(path) as file:
        assert json.loads(file.attrs["request"]) == {"layout": layout, "compression": compression}
        assert len(bytes.fromhex(file["all"].attrs["fingerprint"])) == 8
    dump = subprocess.run(["h5dump", "-H", path], capture_output=True, text=True, check=True).stdout
    assert '"voltage"' in dump


def test_parquet_and_arrow_are_the_archive(archive):
    for format, read in (("parquet", pq.read_table), ("arrow", lambda path: ipc.open_file(path).read_all())):
        path, _ = export(archive, request("all", format=format))
        table = read(path)
        assert table.column("time").cast("int64").to_pylist() == [ns(row) for row in ROWS]
        for name, found in table.to_pydict().items():
            if name == "time":
                continue
            wanted = [flat(row)[name] for row in ROWS]
            if name == "maybe_real":
                wanted = [row["maybe_real"] for row in ROWS]
            if name == "any":
                wanted = [None if value is None else json.dumps(value) for value in wanted]
            if name == "tags":
                found = [dict(value) for value in found]
            assert found == wanted, name
        assert table.schema.field("gps.lat").metadata[b"unit"] == b"deg"
        told = table.schema.metadata
        assert told[b"speeddata.channel"] == b"all"
        assert json.loads(told[b"speeddata.units"]) == {"small": "°C", "gps.lat": "deg"}


def test_what_is_known_at_the_end_is_told_too(archive):
    wanted = {"records": 10, "gaps": [{"after_ns": made.START + 2 * MS, "missing": 2}], "damage": []}
    path, _ = export(archive, request("example", format="parquet"))
    assert json.loads(pq.ParquetFile(path).metadata.metadata[b"speeddata.outcome"]) == wanted
    path, _ = export(archive, request("example", format="arrow"))
    assert json.loads(ipc.open_file(path).schema.metadata[b"speeddata.outcome"]) == wanted
    path, _ = export(archive, request("example", format="avro"))
    with path.open("rb") as file:
        assert json.loads(fastavro.reader(file).metadata["speeddata.outcome"]) == wanted


def test_pandas_polars_and_duckdb_read_them(archive):
    voltages = [row["voltage"] for row in made.records(3) + made.records(4, 5) + made.records(3, 9)]
    parquet, _ = export(archive, request("example", format="parquet"))
    assert pd.read_parquet(parquet)["voltage"].tolist() == voltages
    assert polars.read_parquet(parquet)["voltage"].to_list() == voltages
    with duckdb.connect() as database:
        read = database.execute("SELECT voltage, epoch_ns(time) FROM read_parquet(?)", [str(parquet)])
        assert [row[0] for row in read.fetchall()] == voltages
    arrow, _ = export(archive, request("example", format="arrow"))
    assert polars.read_ipc(arrow)["voltage"].to_list() == voltages
    csv, _ = export(archive, request("example", format="csv"))
    frame = pd.read_csv(csv, parse_dates=["time"])
    assert frame["voltage"].tolist() == voltages
    assert frame["time"].astype("int64").iloc[1] in (made.START + MS, (made.START + MS) // 1000)
    lines, _ = export(archive, request("example", format="jsonl"))
    assert polars.read_ndjson(lines)["voltage"].to_list() == voltages
    hdf5, _ = export(archive, request("example", layout="table"))
    with h5py.File(hdf5) as file:
        assert pd.DataFrame(file["example"][:])["voltage"].tolist() == voltages


def test_avro_keeps_the_schema_of_one_channel_and_is_read_by_fastavro(archive):
    for compression in FORMATS["avro"].compressions:
        path, _ = export(archive, request("all", format="avro", compression=compression))
        with path.open("rb") as file:
            reader = fastavro.reader(file)
            found = list(reader)
        assert repr(found) == repr(ROWS)
        assert read_avro(path).all.number.tolist() == [row["number"] for row in ROWS]


def test_avro_of_some_signals_has_a_schema_made_for_it(archive):
    path, _ = export(
        archive, request("all", format="avro", signals=["gps.lat", "maybe_int", "tags", "wave", "mode"])
    )
    with path.open("rb") as file:
        reader = fastavro.reader(file)
        fields = {field["name"]: field for field in reader.writer_schema["fields"]}
        found = list(reader)
    assert list(fields) == ["time", "maybe_int", "mode", "wave", "tags", "gps_lat"]
    assert fields["gps_lat"]["speeddata"] == {"unit": "deg", "name": "gps.lat"}
    assert fields["wave"]["type"] == {"type": "array", "items": "int"}
    for row, one in zip(ROWS, found, strict=True):
        wanted = {
            **flat(row),
            "gps_lat": row["gps"]["lat"],
            "tags": json.dumps(row["tags"], separators=(",", ":")),
        }
        assert {name: wanted[name] for name in fields if name != "time"} == {
            name: value for name, value in one.items() if name != "time"
        }


@pytest.mark.parametrize("format", TABULAR)
def test_several_channels_are_a_zip_with_a_file_each(archive, format):
    path, done = export(archive, request("all", "example", "idle", format=format))
    assert (path.suffix, done.media) == (".zip", "application/zip")
    with zipfile.ZipFile(path) as archived:
        assert archived.testzip() is None
        names = archived.namelist()
        assert names == [f"{name}{FORMATS[format].suffix}" for name in ("all", "example", "idle")] + [
            "about.json"
        ]
        about = json.loads(archived.read("about.json"))
        alone, _ = export(archive, request("example", format=format))
        if format in ("csv", "jsonl"):
            assert archived.read(names[1]) == alone.read_bytes()
    assert about["channels"]["example"]["records"] == 10
    assert about["channels"]["example"]["gaps"] == [{"after_ns": made.START + 2 * MS, "missing": 2}]
    assert about["channels"]["idle"] == {
        "file": names[2], "channel": "idle", "units": {}, "schema": {}, "fingerprint": {},
        "records": 0, "gaps": [], "damage": [],
    }  # fmt: skip


@pytest.mark.parametrize("format", [*TABULAR, "hdf5"])
def test_a_range_without_records_is_a_file_without_rows(archive, format):
    path, _ = export(archive, request("example", end=5, format=format))
    if format == "parquet":
        assert pq.read_table(path).to_pydict() == {"time": [], "counter": [], "voltage": [], "message": []}
    elif format == "arrow":
        assert ipc.open_file(path).read_all().num_rows == 0
    elif format == "csv":
        assert path.read_bytes() == b'"time","counter","voltage","message"\r\n'
    elif format == "jsonl":
        assert path.read_bytes() == b""
    elif format == "avro":
        assert list(fastavro.reader(io.BytesIO(path.read_bytes()))) == []
    else:
        assert len(read_hdf5(path).example) == 0


@pytest.mark.parametrize("format", [*TABULAR, "hdf5"])
def test_joined_channels_are_one_table(archive, format):
    asked = request("example", "all", format=format, align="previous", base="all", end=made.START + 2 * 10**9)
    path, _ = export(archive, asked)
    names = {"parquet": pq.read_table, "arrow": lambda path: ipc.open_file(path).read_all()}
    if format in names:
        table = names[format](path).to_pydict()
        assert table["example.counter"] == [0, 11, 11]
        assert table["all.number"] == [0, 1, 2]
    elif format == "hdf5":
        channel = read_hdf5(path).aligned
        assert channel.signal["example.counter"].tolist() == [0, 11, 11]
        assert channel.signal["all.gps.lat"].unit == "deg"
    elif format == "avro":
        assert [row["example_counter"] for row in fastavro.reader(io.BytesIO(path.read_bytes()))] == [
            0,
            11,
            11,
        ]
    elif format == "csv":
        assert pd.read_csv(path)["example.counter"].tolist() == [0, 11, 11]
    else:
        assert [json.loads(line)["example.message"] for line in path.read_text().splitlines()] == [
            "m0",
            "m11",
            "m11",
        ]


@pytest.mark.parametrize("format", ["csv", "jsonl"])
@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_text_is_compressed_whole(archive, format, compression):
    path, done = export(archive, request("example", format=format, compression=compression))
    plain, _ = export(archive, request("example", format=format))
    opener = polars.read_csv if format == "csv" else polars.read_ndjson
    assert path.name.endswith({"gzip": ".gz", "zstd": ".zst"}[compression])
    assert done.media == f"application/{compression}"
    assert opener(path)["voltage"].to_list() == opener(plain)["voltage"].to_list()


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (None, "hdf5"), ("", "hdf5"), ("*/*", "hdf5"), ("application/json", "hdf5"),
        ("text/csv", "csv"), ("TEXT/CSV; charset=utf-8", "csv"), ("application/vnd.apache.parquet", "parquet"),
        ("text/csv;q=0.5, application/x-ndjson;q=0.9", "jsonl"), ("text/html, */*;q=0.1, application/avro", "avro"),
        ("text/csv;q=0", "hdf5"), ("text/csv;q=x", "hdf5"), ("application/vnd.apache.arrow.file, */*", "arrow"),
    ],
)  # fmt: skip
def test_accept_chooses_a_format(header, name):
    assert accepted(header) is FORMATS[name]
    assert DEFAULT.name == "hdf5"


def test_times_are_exact(archive):
    path, _ = export(archive, request("example", format="jsonl", time="ns"))
    assert [json.loads(line)["time"] for line in path.read_text().splitlines()][:2] == [
        made.START,
        made.START + MS,
    ]
    path, _ = export(archive, request("example", format="csv", time="s"))
    assert path.read_text().splitlines()[1].startswith("1700000000.000000000,")
    path, _ = export(archive, request("example", format="csv"))
    first = path.read_text().splitlines()[2].split(",")[0].strip('"')
    assert np.datetime64(first.rstrip("Z")).astype("datetime64[ns]").astype("int64") == made.START + MS
    assert datetime.fromisoformat(first[:26]).microsecond == 1000
