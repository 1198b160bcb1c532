import zipfile

import history
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import requests
import segments as made

import speeddata
from speeddata import Channel, read_arrow, read_hdf5, read_parquet
from speeddata.errors import FormatError


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """Exports of two channels, of which one has gaps and damage, in any format."""
    folder = tmp_path_factory.mktemp("tables")
    archive = folder / "archive"
    made.write_segment(archive / "example", [made.records(5)])
    path = made.write_segment(archive / "holed", [made.records(5), made.records(5, 5), made.records(5, 20)])
    path.write_bytes(path.read_bytes().replace(b"m7", b"!7"))
    with history.running(archive) as service:

        def fetch(channels, format, **more):
            asked = {
                "channels": channels,
                "format": format,
                "start": "2023-11-14T22:13:20Z",
                "duration": "PT1S",
            }
            answer = requests.get(f"{service.address}/api/v1/pivot/export", asked | more, timeout=30)
            assert answer.ok, answer.text
            end = "zip" if answer.headers["content-type"] == "application/zip" else format
            file = folder / f"{channels}.{'h5' if end == 'hdf5' else end}"
            file.write_bytes(answer.content)
            return file

        yield fetch


def told(channel):
    signals = {name: (one.tolist(), one.unit) for name, one in channel.signal.items()}
    return channel.name, channel.time_ns.tolist(), signals, channel.schema, channel.gaps, channel.damage


@pytest.mark.parametrize(("format", "read"), [("parquet", read_parquet), ("arrow", read_arrow)])
@pytest.mark.parametrize("name", ["example", "holed"])
def test_an_export_is_what_it_is_in_hdf5(export, name, format, read):
    wanted = read_hdf5(export(name, "hdf5"))
    path = export(name, format)
    for data in (read(path), read(str(path)), speeddata.open(path)):
        assert list(data.channel) == [name]
        assert told(data.channel[name]) == told(wanted.channel[name])
    if name == "holed":
        assert data.holed.damage
        assert data.holed.gaps
    assert data.voltage.unit == "V"


def test_several_channels_in_a_zip_archive_and_in_one_table(export):
    wanted = read_hdf5(export("example,holed", "hdf5"))
    for format in ("parquet", "arrow"):
        data = speeddata.open(export("example,holed", format))
        assert {name: told(one) for name, one in data.channel.items()} == {
            name: told(one) for name, one in wanted.channel.items()
        }
    joined = speeddata.open(export("example,holed", "parquet", align="previous")).aligned
    assert joined["example.voltage"].unit == "V"


def test_tables_of_the_library_and_streams(tmp_path):
    channel = Channel.from_ns("pump", np.arange(3), {"p": np.arange(3.0)}, {"p": "bar"})
    table = channel.to_arrow()
    with pa.OSFile(str(tmp_path / "s.arrows"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    pyarrow.parquet.write_table(pa.table({"time": [1.5, 2.5], "v": [1, 2]}), tmp_path / "other.parquet")
    for name in ("s.arrows", "t.parquet"):
        assert told(speeddata.open(tmp_path / name).pump) == told(channel)
    assert speeddata.open(tmp_path / "other.parquet").other.time.tolist() == [1.5, 2.5]


def test_what_is_no_such_file_is_told(tmp_path):
    for name, words in (("x.parquet", "no Parquet file"), ("x.arrow", "no Arrow file"), ("x.zip", "no zip")):
        path = tmp_path / name
        with pytest.raises(FileNotFoundError):
            speeddata.open(path)
        for content in (b"", b"ARROW1 nothing of it", b"PAR1" * 9, b"\x00" * 99):
            path.write_bytes(content)
            with pytest.raises(FormatError, match=words):
                speeddata.open(path)
    pyarrow.parquet.write_table(pa.table({"when": [1], "v": [2]}), tmp_path / "w.parquet")
    with pytest.raises(FormatError, match=r"no column 'time', only when, v; .*speeddata import"):
        speeddata.open(tmp_path / "w.parquet")
    with zipfile.ZipFile(tmp_path / "y.zip", "w") as archive:
        archive.writestr("a.txt", "x")
    with pytest.raises(ValueError, match=r"a\.txt"):
        speeddata.open(tmp_path / "y.zip")
