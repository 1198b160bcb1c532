"""HDF5 files to be imported: those that SpeedData makes, and any group that has datasets of equal length and a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from speeddata.csv_detect import TIME_NAMES
from speeddata.errors import FormatError
from speeddata.hdf5 import read_group, telling
from speeddata.hdf5_names import given_name
from speeddata.import_names import channel_name
from speeddata.import_options import ImportOptions
from speeddata.import_tables import Kind, TableFile, kind_of_array
from speeddata.stamps import to_ns
from speeddata.table import Array, Table

__all__ = ["open_hdf5", "unlike_groups"]


def open_hdf5(path: Path, options: ImportOptions) -> TableFile:
    """Open a file; each of its groups with a time is a channel. A group is read as a whole."""
    file = _open(path)
    every = _groups(file, options)
    found = {name: group for name, group in every.items() if _is_chosen(name, group, options.group)}
    if not found:
        file.close()
        raise FormatError(
            f"{path} has no group with a dataset of times ({', '.join(TIME_NAMES[:4])} ...): --time-column names one"
        )
    first_name, first = next(iter(found.items()))
    time_ns, columns, units = _read(first, options)
    kinds, notes = _kinds(columns, units)
    del time_ns, columns

    def tables() -> Iterator[tuple[str, Table]]:
        for name, group in found.items():
            times, signals, _ = _read(group, options)
            kept = {heading: signals[heading] for heading in kinds if heading in signals}
            yield (name if len(found) > 1 else ""), Table(times, kept)

    about = {"format": "HDF5", "groups": ", ".join(found)}
    # One of several is called as it would be if all were imported.
    name = channel_name(first_name, path.stem) if len(found) < len(every) else path.stem
    total = sum(_length(group, options) for group in found.values())
    return TableFile(name, about, kinds, total, tables, notes, close=file.close)


def unlike_groups(path: Path, options: ImportOptions) -> list[str]:
    """The groups of a file whose datasets differ, so that each must be imported by itself; none where all are alike."""
    with _open(path) as file:
        found = _groups(file, options)
        shapes = {tuple(sorted(map(_shape, _datasets(group)))) for group in found.values()}
        return list(found) if len(shapes) > 1 else []


def _open(path: Path) -> h5py.File:
    import hdf5plugin  # noqa: F401  (it registers the filters that exports may have)

    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise FormatError(f"{path} is no HDF5 file, or a damaged one: {error}") from None


def _is_chosen(name: str, item: Any, group: str | None) -> bool:
    return group in (None, name, item.name, item.name.strip("/"))


def _datasets(item: Any) -> Iterator[tuple[str, np.dtype[Any], int, str]]:
    """Name, type, dimensions and unit of each dataset of a group, or field of a compound one."""
    if isinstance(item, h5py.Dataset):
        for name in _names(item):
            yield name, item.dtype[name], item.ndim, ""
        return
    for name in _names(item):
        yield name, item[name].dtype, item[name].ndim, str(item[name].attrs.get("unit", ""))


def _shape(dataset: tuple[str, np.dtype[Any], int, str]) -> tuple[str, str, int, str]:
    """What datasets must have in common to be of one schema; texts may be of any length."""
    name, kind, dimensions, unit = dataset
    return name, "text" if kind.kind in "SO" else kind.str, dimensions, unit


def _groups(file: h5py.File, options: ImportOptions) -> dict[str, Any]:
    """The groups, or compound datasets, that have a time, by their channels' names."""
    found: dict[str, Any] = {}

    def look(name: str, item: Any) -> None:
        if _time_name(item, options) is not None:
            found[given_name(item.attrs) or name.strip("/") or "/"] = item

    look("/", file)
    file.visititems(look)
    return found


def _time_name(item: Any, options: ImportOptions) -> str | None:
    """The dataset or field of a group that has its times."""
    wanted = [name.lower() for name in options.time_column] or list(TIME_NAMES)
    fields = _names(item)
    return next((name for want in wanted for name in fields if name.lower() == want), None)


def _names(item: Any) -> list[str]:
    if isinstance(item, h5py.Dataset):
        return list(item.dtype.names or ())
    return [name for name in item if isinstance(item.get(name), h5py.Dataset)]


def _length(item: Any, options: ImportOptions) -> int:
    name = _time_name(item, options)
    return len(item) if isinstance(item, h5py.Dataset) else len(item[name])


def _read(item: Any, options: ImportOptions) -> tuple[Array, dict[str, Array], dict[str, str]]:
    """Times in ns, signals and their units."""
    name = _time_name(item, options)
    with telling(item):
        if name == "time" and options.time_unit is None:
            times, signals, units = read_group(item)
            return times, signals, units
        columns = {
            one: np.asarray(item[one][()] if isinstance(item, h5py.Group) else item[one])
            for one in _names(item)
        }
    given = columns.pop(str(name))
    if given.dtype.kind not in "iufM" or given.ndim != 1:
        raise FormatError(f"{item.name}: the dataset {name!r} does not hold times, but {given.dtype}")
    unit = options.time_unit
    if unit is None and isinstance(item, h5py.Group):
        told = item[name].attrs.get("unit")
        unit = told if told in ("s", "ms", "us", "ns") else None
    kept = {one: _texts(column) for one, column in columns.items() if column.shape[:1] == given.shape}
    return to_ns(given, unit), kept, {}


def _texts(column: Array) -> Array:
    if column.dtype.kind not in "SO":
        return column
    values = [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in column.tolist()
    ]
    made = np.empty(len(values), object)
    made[:] = values
    return made


def _kinds(columns: dict[str, Array], units: dict[str, str]) -> tuple[dict[str, Kind], list[str]]:
    kinds, notes = {}, []
    for name, column in columns.items():
        kind = kind_of_array(column, units.get(name, ""))
        if kind is None:
            notes.append(f"dataset {name!r} of type {column.dtype} is left out")
        else:
            kinds[name] = kind
    return kinds, notes
