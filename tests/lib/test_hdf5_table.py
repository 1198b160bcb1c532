import h5py
import numpy as np
import pytest

from speeddata import read_hdf5
from speeddata.hdf5 import create_file, write_group
from speeddata.hdf5_about import HIDDEN, MANY
from speeddata.hdf5_filters import COMPRESSIONS, filters
from speeddata.hdf5_table import CHUNK, CompoundGroup
from speeddata.table import Table

LAYOUTS = ("signals", "table")


def objects(values):
    out = np.empty(len(values), object)
    out[:] = values
    return out


def tables(count, parts):
    for first in range(0, count, count // parts):
        rows = range(first, min(count, first + count // parts))
        yield Table(
            np.array(rows, np.int64),
            {
                "v": np.array(rows) / 2,
                "n": np.ma.MaskedArray(np.array(rows), [row % 3 == 0 for row in rows]),
                "s": objects([None if row % 2 else f"t{row}" for row in rows]),
                "time": np.array(rows, np.int32),
            },
        )


def write(path, layout, given, compression="none", **about):
    kinds = {"v": "double", "n": "long", "s": "string", "time": "int"}
    with create_file(path) as file:
        if layout == "table":
            group = CompoundGroup(file, "c", kinds, {"v": "V"}, filters(compression))
            group.write(given)
        else:
            group = write_group(file, "c", given, kinds=kinds, units={"v": "V"}, filters=filters(compression))
        group.finish(**about)
    return path


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("count", "parts"), [(1, 1), (10, 3), (2 * CHUNK + 5, 7)])
def test_what_was_written_is_read(tmp_path, layout, compression, count, parts):
    path = write(
        tmp_path / "x.h5", layout, tables(count, parts), compression, schema="{}", gaps=[(1, 2)], more="told"
    )
    channel = read_hdf5(path).c
    rows = range(count)
    assert channel.time_ns.tolist() == list(rows)
    assert channel.v.tolist() == [row / 2 for row in rows]
    assert channel.n.tolist() == [None if row % 3 == 0 else row for row in rows]
    assert channel.s.tolist() == [None if row % 2 else f"t{row}" for row in rows]
    assert channel.signal["time_" if layout == "signals" else "time"].tolist() == list(rows)
    assert (channel.v.unit, channel.schema, channel.gaps) == ("V", "{}", [(1, 2)])
    with h5py.File(path) as file:
        assert file["c"].attrs["more"] == "told"


def test_a_table_is_one_dataset_of_whole_chunks(tmp_path):
    with h5py.File(write(tmp_path / "x.h5", "table", tables(3 * CHUNK, 2))) as file:
        assert file["c"].dtype.names == ("time", "v", "n", "s", "time_")
        assert file["c"].chunks == (CHUNK,)
        assert file["c"]["v"][:3].tolist() == [0, 0.5, 1]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_many_nulls_are_a_dataset_beside(tmp_path, layout):
    """As an attribute they would be held in memory, however many there are."""
    count = 3 * MANY
    path = write(tmp_path / "x.h5", layout, tables(count, 5))
    assert read_hdf5(path).c.s.tolist() == [None if row % 2 else f"t{row}" for row in range(count)]
    with h5py.File(path) as file:
        assert HIDDEN in file
        place = file["c"].attrs["nulls:s"] if layout == "table" else file["c/s"].attrs["nulls"]
        assert file[place][:3].tolist() == [1, 3, 5]
    assert list(read_hdf5(path).channel) == ["c"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_sizes_that_come_later_are_stored(tmp_path, layout):
    """Arrays of another length, and fixed values after a chunk in which all are null."""

    def given():
        for part in range(3):
            rows = range(part * CHUNK, part * CHUNK + CHUNK)
            waves = (
                np.ones((CHUNK, 2), np.float32)
                if part < 2
                else objects([np.ones(row % 3, "f4") for row in rows])
            )
            macs = [None] * CHUNK if part == 0 else [b"abc"] * CHUNK
            yield Table(np.array(rows), {"wave": waves, "mac": objects(macs)})

    path = tmp_path / "x.h5"
    kinds = {"wave": "array", "mac": "fixed"}
    with create_file(path) as file:
        if layout == "table":
            group = CompoundGroup(file, "c", kinds, {})
            group.write(given())
        else:
            group = write_group(file, "c", given(), kinds=kinds, units={})
        group.finish()
    channel = read_hdf5(path).c
    for row in (0, CHUNK - 1, CHUNK, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1, 3 * CHUNK - 1):
        assert len(channel.wave[row]) == (2 if row < 2 * CHUNK else row % 3)
    assert channel.mac[CHUNK - 1 : CHUNK + 1].tolist() == [None, b"abc"]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("given", [[], [Table(np.empty(0, np.int64), {"v": np.empty(0)})]])
def test_a_channel_without_records(tmp_path, layout, given):
    channel = read_hdf5(write(tmp_path / "x.h5", layout, given, "gzip")).c
    assert len(channel) == 0
    assert set(channel.signal) == ({"v"} if given else set())


def test_an_unknown_compression_is_refused():
    with pytest.raises(OSError, match="wanted one of none, gzip"):
        filters("rar")
