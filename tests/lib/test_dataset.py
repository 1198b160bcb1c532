import contextlib
import itertools
import json

import fastavro
import h5py
import numpy as np
import pandas
import pytest
import segments as made

from speeddata import Channel, Set, read_avro, read_csv, read_hdf5
from speeddata.errors import ArchiveError, FormatError
from speeddata.table import Table


@pytest.fixture
def segment(tmp_path):
    return made.write_segment(tmp_path / "example", [made.records(3), made.records(2, 5)])


def same(a, b):
    """Whether two channels hold the same."""
    return (
        a.time_ns.tolist() == b.time_ns.tolist()
        and {n: (s.tolist(), s.unit) for n, s in a.signal.items()}
        == {n: (s.tolist(), s.unit) for n, s in b.signal.items()}
        and (a.schema, a.gaps, a.damage) == (b.schema, b.gaps, b.damage)
    )


def test_five_equal_spellings(segment):
    data = read_avro(segment)
    spellings = [
        data.channel["example"].signal["voltage"],
        data.channel["example"].voltage,
        data.example.signal["voltage"],
        data.example.voltage,
        data.voltage,
    ]
    assert all(spelling is spellings[0] for spelling in spellings)
    assert data.voltage.tolist() == [0.0, 0.25, 0.5, 1.25, 1.5]


def test_signals_of_several_channels_are_ambiguous():
    data = Set()
    data.add_channels(
        [Channel([0], name="a", signals={"x": [1], "y": [2]}), Channel([0], name="b", signals={"x": [3]})]
    )
    assert data.y.tolist() == [2]
    with pytest.raises(
        AttributeError, match=r"2 channels have a signal 'x': channel\[\"a\"\].x, channel\[\"b\"\].x"
    ):
        _ = data.x
    with pytest.raises(AttributeError, match="no channel and no signal 'z'; the channels are a, b"):
        _ = data.z
    assert not hasattr(data, "x")


def test_channels_go_before_signals_of_their_name():
    data = Set({"a": Channel([0], name="a", signals={"a": [1]})})
    assert isinstance(data.a, Channel)
    assert data.a.a.tolist() == [1]
    assert {"a"} <= set(dir(data))


def test_read_avro_equals_fastavro(segment):
    channel = read_avro(segment).example
    with segment.open("rb") as file:
        rows = list(fastavro.reader(file))
    assert channel.time_ns.tolist() == [row["time"] for row in rows]
    assert channel.message.tolist() == [row["message"] for row in rows]
    assert channel.gaps == [(rows[2]["time"], 2)]
    assert json.loads(channel.schema) == made.SCHEMA
    assert channel.voltage.unit == "V"


LOGICAL = [
    ("long", "timestamp-millis", 253_402_300_800_000, OverflowError),
    ("long", "timestamp-micros", -(2**62), OverflowError),
    ("long", "local-timestamp-micros", 2**62, OverflowError),
    ("int", "date", 2_932_897, ValueError),
    ("int", "date", -800_000, ValueError),
    ("int", "time-millis", 86_400_000, ValueError),
    ("int", "time-millis", -1, None),
    ("long", "time-micros", 86_400_000_000, ValueError),
    ("string", "uuid", "no UUID", ValueError),
    ("bytes", "decimal", b"\x7f" * 9, None),
]


@pytest.mark.parametrize(("kind", "logical", "value", "error"), LOGICAL)
def test_values_that_no_logical_type_holds_are_read_plain(tmp_path, monkeypatch, kind, logical, value, error):
    """What docs/archive-format.md says of other readers."""
    typed = {"type": kind, "logicalType": logical, "precision": 4}
    schemas = [made.SCHEMA | {"fields": [{"name": "time", "type": "double"}, {"name": "f", "type": type_}]}
               for type_ in (typed, kind)]  # fmt: skip
    data = made.block(1, made.encode(schemas[1], [{"time": 1.5, "f": value}]))
    path = tmp_path / "x.avro"
    path.write_bytes(made.head(schemas[0], channel="x", time_unit="s") + data)
    assert read_avro(path).x.f.tolist() == [value]
    with path.open("rb") as file, pytest.raises(error) if error else contextlib.nullcontext():
        assert next(fastavro.reader(file))["f"] != value
    for converter in list(fastavro.read.LOGICAL_READERS):
        monkeypatch.delitem(fastavro.read.LOGICAL_READERS, converter)
    with path.open("rb") as file:
        assert next(fastavro.reader(file))["f"] == value


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_read_avro_reads_files_of_other_writers(tmp_path, codec):
    path = tmp_path / "data_1700000000.avro"
    schema = fastavro.parse_schema(dict(made.SCHEMA))
    with path.open("wb") as file:
        fastavro.writer(file, schema, made.records(5000), codec=codec)
    data = read_avro(path)
    assert data.example.counter.tolist() == list(range(5000))
    assert list(data.channel) == ["example"], "the last part of the schema's namespace"


def test_damage_is_warned_of(segment):
    data = segment.read_bytes()
    at = data.index(b"m1")
    segment.write_bytes(data[:at] + b"XX" + data[at + 2 :])
    with pytest.warns(UserWarning, match="checksum in bytes .* 3 records left out"):
        channel = read_avro(segment).example
    assert channel.counter.tolist() == [5, 6]
    assert channel.damage[0]["records"] == 3
    segment.write_bytes(data[:-3])
    with pytest.warns(UserWarning, match="no whole block"):
        assert len(read_avro(segment).example) == 3


def test_from_avro_reads_files_without_head(tmp_path):
    path, schema = tmp_path / "data_1.avro", tmp_path / "example.avsc"
    schema.write_text(json.dumps(made.SCHEMA))
    sync = bytes.fromhex("a48a1e90050424780a68337fc2509563")
    rows = made.records(100)
    path.write_bytes(b"".join(made.block(1, made.encode(made.SCHEMA, [row]), sync) for row in rows))
    data = Set.from_avro(path, schema, "engine")
    assert data.engine.message.tolist() == [row["message"] for row in rows]
    assert data.engine.time_ns.tolist() == [row["time"] for row in rows]
    assert list(Set.from_avro(path, schema).channel) == ["example"]
    with pytest.raises(ArchiveError, match="SpeedData up to 0.6"):
        read_avro(path)


def test_from_avro_uses_the_schema_of_the_file_where_there_is_one(segment, tmp_path):
    other = tmp_path / "other.avsc"
    other.write_text(json.dumps({**made.SCHEMA, "fields": made.SCHEMA["fields"][:1]}))
    assert "voltage" in Set.from_avro(segment, other).example.signal


@pytest.mark.parametrize("content", [b"", b"Obj", b"rubbish and more"])
def test_what_cannot_be_read_is_told(tmp_path, content):
    path = tmp_path / "x.avro"
    path.write_bytes(content)
    if not content:
        assert read_avro(path).channel == {}
        return
    with pytest.raises(ArchiveError, match="x.avro"):
        read_avro(path)
    with pytest.raises(FileNotFoundError):
        read_avro(tmp_path / "nosuch.avro")


def test_hdf5_round_trip(segment, tmp_path):
    data = read_avro(segment)
    data.add_csv(write_csv(tmp_path / "other.csv"))
    data.to_hdf5(tmp_path / "out.h5")
    back = read_hdf5(tmp_path / "out.h5")
    assert list(back.channel) == ["example", "other"]
    assert same(back.example, data.example)
    assert back.other.a.tolist() == [1, 2]
    assert repr(back) == repr(data)


def test_hdf5_of_old_layouts(tmp_path):
    """A group without attributes, and a file with its datasets in the root."""
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file["time"] = made.START + np.arange(3)
        file["engine/time"] = np.array([1.7e9, 1.7e9 + 0.5])
        file["engine/x"] = np.array([1.0, 2.0])
        file.create_group("nothing")
    data = read_hdf5(tmp_path / "old.h5")
    assert data.old.time_ns.tolist() == [made.START, made.START + 1, made.START + 2]
    assert data.engine.time.tolist() == [1.7e9, 1.7e9 + 0.5]
    assert len(data.nothing) == 0


STRANGE = {"km/h": [1.0, 2.0], "km∕h": [3.0, 4.0], "/": [5, 6], "a b": [7, 8], "a_b": [9, 10], "..": [11, 12]}


def test_names_with_slashes_survive_hdf5(tmp_path):
    data = Set()
    data.add_channels(
        [Channel([0, 1], name=name, signals=STRANGE) for name in ("plant/engine", "plant∕engine")]
    )
    data.to_hdf5(tmp_path / "x.h5")
    back = read_hdf5(tmp_path / "x.h5")
    assert list(back.channel) == ["plant/engine", "plant∕engine"]
    for channel in back.channel.values():
        assert {name: signal.tolist() for name, signal in channel.signal.items()} == STRANGE
    with h5py.File(tmp_path / "x.h5") as file:
        assert [group.name for group in file.values()] == ["/plant∕engine_", "/plant∕engine"]
        assert Channel.from_hdf5_group(file["plant∕engine_"]).name == "plant/engine"


@pytest.mark.parametrize(
    ("channel", "signal", "unit"),
    [("a\0", "x", None), ("", "x", None), ("a", "x\0y", None), ("a", ".", None), ("a", "x", "V\0")],
)
def test_what_hdf5_cannot_hold_is_refused_before_anything_is_written(tmp_path, channel, signal, unit):
    (tmp_path / "x.h5").write_text("older")
    made = Channel.from_ns(channel, np.arange(2), {signal: [1, 2]}, {signal: unit})
    with pytest.raises(FormatError, match="HDF5 cannot hold"):
        Set({channel: made}).to_hdf5(tmp_path / "x.h5")
    assert (tmp_path / "x.h5").read_text() == "older"


def foreign(path, **datasets):
    with h5py.File(path, "w") as file:
        for name, value in datasets.items():
            file[f"engine/{name}"] = value
        return file.filename


@pytest.mark.parametrize(
    ("datasets", "words"),
    [
        ({"v": np.arange(3)}, "/engine: dataset 'v' has the shape \\(3,\\), no dataset 'time'"),
        (
            {"time": np.arange(2), "v": np.arange(3)},
            "/engine: dataset 'v' has the shape \\(3,\\), wanted 2 as its dataset 'time' has",
        ),
        ({"time": np.arange(2), "v": 5}, "/engine: dataset 'v' has the shape \\(\\), wanted 2"),
        ({"time": [b"now"]}, "/engine/time: wanted a row of numbers as times, not object of shape \\(1,\\)"),
        ({"time": np.zeros((2, 2))}, "/engine/time: wanted a row of numbers"),
        ({"time": 5.0}, "/engine/time: wanted a row of numbers"),
        ({"time": h5py.Empty("f8")}, "/engine/time: wanted a row of numbers"),
        ({"time": np.arange(1), "v": np.array([b"\xff\xfe"])}, "/engine/v: .*codec can't decode"),
    ],
)
def test_foreign_hdf5_files_tell_what_is_missing(tmp_path, datasets, words):
    path = foreign(tmp_path / "x.h5", **datasets)
    with pytest.raises(FormatError, match=f"{path}: {words}"):
        read_hdf5(path)


@pytest.mark.parametrize(
    ("place", "name", "value", "words"),
    [
        ("engine/time", "unit", "min", "/engine/time: times in 'min', wanted one of s, ms, us, ns"),
        ("engine/time", "unit", np.bytes_(b"\xff"), "/engine/time: "),
        ("engine/v", "encoding", "json", "/engine/v: Expecting value"),
        ("engine/v", "nulls", [7], "/engine/v: index 7 is out of bounds"),
        ("engine", "gaps", 5, "/engine: "),
        ("engine", "damage", "?", "/engine: Expecting value"),
    ],
)
def test_foreign_attributes_are_told(tmp_path, place, name, value, words):
    path = foreign(tmp_path / "x.h5", time=[1.0], v=["text"])
    with h5py.File(path, "r+") as file:
        file[place].attrs[name] = value
    with pytest.raises(FormatError, match=f"{path}: {words}"):
        read_hdf5(path)


def test_what_is_no_hdf5_file_is_told(tmp_path):
    (tmp_path / "x.h5").write_text("time,a\n0,1\n")
    with pytest.raises(FormatError, match="x.h5 is no HDF5 file, or a damaged one"):
        read_hdf5(tmp_path / "x.h5")
    (tmp_path / "x.h5").write_text('{"error": "Channel not found", "name": "engin"}')
    with pytest.raises(FormatError, match='x.h5 is no HDF5 file, it says: .*"Channel not found"'):
        read_hdf5(tmp_path / "x.h5")
    with pytest.raises(FileNotFoundError, match="nosuch"):
        read_hdf5(tmp_path / "nosuch.h5")
    with h5py.File(tmp_path / "y.h5", "w") as file:
        file["lost"] = h5py.SoftLink("/nowhere")
    with pytest.warns(UserWarning, match="'lost' leads nowhere"):
        assert read_hdf5(tmp_path / "y.h5").channel == {}


def write_csv(path):
    path.write_text("time,a\n0,1\n1,2\n")
    return path


def test_csv_files_are_named_by_themselves_or_by_keys(tmp_path):
    one, two = write_csv(tmp_path / "one.csv"), write_csv(tmp_path / "two.csv")
    assert list(read_csv(one).channel) == ["one"]
    assert list(read_csv([one, str(two)]).channel) == ["one", "two"]
    assert list(read_csv({"x": one, "y": two}).channel) == ["x", "y"]
    data = Set.from_csv(one, index_col="time")
    data.add_csv(two)
    assert data.two.a.tolist() == [1, 2]


def test_dataframes_are_named_by_keys_attributes_or_numbers():
    frame = pandas.DataFrame({"a": [1, 2]})
    named = frame.copy()
    named.attrs["name"] = "named"
    assert list(Set.from_df(frame).channel) == ["df0"]
    assert list(Set.from_df([frame, named]).channel) == ["df0", "named"]
    data = Set.from_df({"x": frame})
    data.add_df(frame, "y")
    assert list(data.channel) == ["x", "y"]
    assert data.y.a.tolist() == [1, 2]


def test_channels_are_added_one_by_one_or_together():
    data = Set()
    assert repr(data) == "empty set"
    a, b, c = (Channel([0], name=name) for name in "abc")
    data.add_channels(a)
    data.add_channels([b])
    data.add_channels({"other": c})
    assert list(data.channel) == ["a", "b", "other"]
    with pytest.raises(AttributeError, match="the set is empty"):
        _ = Set().x


def test_tables_of_random_types_survive_hdf5(tmp_path):
    """Every combination of what two columns can be."""
    columns = {
        "int": np.array([1, 2], np.int32),
        "flag": np.array([True, False]),
        "masked": np.ma.MaskedArray([1, 2], [True, False]),
        "text": np.array(["a", None], object),
        "wave": np.ones((2, 3), np.float32),
    }
    for (a, x), (b, y) in itertools.combinations(columns.items(), 2):
        data = Set(
            {"c": Channel.from_ns("c", np.array([5, 6]), Table(np.array([5, 6]), {a: x, b: y}).columns)}
        )
        data.to_hdf5(tmp_path / "x.h5")
        assert same(read_hdf5(tmp_path / "x.h5").c, data.c) or data.c.schema is None
        back = read_hdf5(tmp_path / "x.h5").c
        assert [back.signal[name].tolist() for name in (a, b)] == [x.tolist(), y.tolist()]


def test_ranges_and_fewer_rows_of_all_channels():
    a = Channel.from_ns("a", np.arange(10) * 10**9, {"v": np.arange(10.0)})
    b = Channel.from_ns("b", np.arange(0, 10, 5) * 10**9, {"w": np.arange(2)})
    data = Set({"a": a, "b": b})
    assert [len(channel) for channel in data.between(2, 6).channel.values()] == [4, 1]
    assert len(data["1970-01-01T00:00:05":].a) == 5
    assert data.resample("5s", "max").v.tolist() == [4, 9]
    assert data["a"] is a
    assert list(data) == ["a", "b"]
    assert Set()  # as any object
    with pytest.raises(KeyError, match="no channel 'x'; the channels are a, b"):
        data["x"]
    with pytest.raises(TypeError, match="wanted a channel's name or a range of time, not 5"):
        data[5]
