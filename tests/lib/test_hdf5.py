import json

import h5py
import numpy as np
import pytest

import speeddata
from speeddata.errors import FormatError
from speeddata.hdf5 import create_file, read_group, write_group
from speeddata.table import Table


def table(first, count, **columns):
    return Table(np.arange(first, first + count), {"v": np.arange(first, first + count) / 2, **columns})


def write(tmp_path, tables, **options):
    with create_file(tmp_path / "x.h5", start="then") as file:
        group = write_group(file, "engine", tables, kinds={"v": "double"}, units={"v": "V"})
        group.finish(**options)
    return h5py.File(tmp_path / "x.h5", "r")


def test_layout_and_attributes(tmp_path):
    damage = [{"segment": "a.avro", "start": 1, "end": 2, "records": 3, "reason": "checksum"}]
    with write(tmp_path, [table(0, 3)], schema="{}", gaps=[(1, 5)], damage=damage) as file:
        assert (file.attrs["speeddata"], file.attrs["start"]) == (speeddata.__version__, "then")
        assert file.attrs["host"]
        assert file.attrs["created"]
        group = file["engine"]
        assert list(group) == ["time", "v"]
        assert group["time"].attrs["unit"] == "ns"
        assert group["time"].dtype == np.int64
        assert group["time"].chunks is None, "in one piece"
        assert (group["v"].attrs["unit"], group["v"].attrs["type"]) == ("V", "double")
        assert (group.attrs["schema"], group.attrs["records"], group.attrs["corrupt_blocks"]) == ("{}", 3, 1)
        assert group.attrs["gaps"].tolist() == [(1, 5)]
        assert group.attrs["gaps"]["missing"].tolist() == [5]
        assert json.loads(group.attrs["damage"]) == damage


def test_several_tables_are_appended(tmp_path):
    words = [np.array(["a", None], object), np.array(["b"], object), np.array([None, "c", "d"], object)]
    counts = [2, 1, 3]
    tables = [
        table(sum(counts[:n]), counts[n], s=words[n], m=np.ma.MaskedArray(range(counts[n]), n == 1))
        for n in range(3)
    ]
    with write(tmp_path, tables) as file:
        group = file["engine"]
        assert group["v"].chunks is None, "together they are less than a chunk"
        times, signals, units = read_group(group)
    assert times.tolist() == [0, 1, 2, 3, 4, 5]
    assert signals["v"].tolist() == [0, 0.5, 1, 1.5, 2, 2.5]
    assert signals["s"].tolist() == ["a", None, "b", None, "c", "d"]
    assert signals["m"].tolist() == [0, 1, None, 0, 1, 2]
    assert units == {"v": "V", "s": "", "m": ""}


@pytest.mark.parametrize(
    "lengths", [[[2, 2], [2, 2]], [[2, 2], [3, 3], [1, 2]], [[1, 2], [2, 2]], [[0, 0], [1, 1]]]
)
def test_arrays_of_changing_length_across_tables(tmp_path, lengths):
    tables = []
    for place, block in enumerate(lengths):
        waves = np.empty(len(block), object)
        for row, length in enumerate(block):
            waves[row] = np.full(length, place + 0.5, np.float32)
        same = len(set(block)) == 1
        tables.append(table(place * 2, 2, wave=np.stack(list(waves)) if same else waves))
    with write(tmp_path, tables) as file:
        assert (
            file["engine"]["wave"].attrs["type"] == "array"
            or file["engine"]["wave"].attrs["type"] == "number"
        )
        _, signals, _ = read_group(file["engine"])
    found = [len(row) for row in signals["wave"]]
    assert found == [length for block in lengths for length in block]
    assert signals["wave"][0].dtype == np.float32


def test_many_gaps_fit(tmp_path):
    gaps = [(n, n + 1) for n in range(20_000)]
    with write(tmp_path, [table(0, 1)], gaps=gaps, schema="x" * 70_000) as file:
        assert file["engine"].attrs["gaps"].tolist() == gaps
        assert len(file["engine"].attrs["schema"]) == 70_000


def test_a_signal_named_time_steps_aside(tmp_path):
    with write(tmp_path, [table(5, 1, time=np.array([7.5]))]) as file:
        assert file["engine"]["time"][:].tolist() == [5]
        assert file["engine"]["time_"][:].tolist() == [7.5]


def test_a_group_without_tables_is_empty(tmp_path):
    with write(tmp_path, []) as file:
        assert list(file["engine"]) == []
        assert read_group(file["engine"])[1:] == ({}, {})


def test_attributes_are_checked(tmp_path):
    for attributes in ({"a\0": "x"}, {"a": "x\0"}):
        with pytest.raises(FormatError, match="attribute"):
            create_file(tmp_path / "x.h5", **attributes)
    assert not list(tmp_path.iterdir())


def test_a_group_inside_a_channel_is_told(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a/time"] = np.arange(2)
        file["a/deeper/v"] = np.arange(2)
        file["a/lost"] = h5py.SoftLink("/nowhere")
        with pytest.warns(UserWarning, match="left out") as told:
            assert read_group(file["a"])[1] == {}
    assert [
        f"x.h5: /a: '{name}' is no dataset" in str(told[n].message)
        for n, name in enumerate(["deeper", "lost"])
    ]
