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
from speeddata.import_options import ImportOptions
from speeddata.import_tables import Kind, TableFile, kind_of_array
from speeddata.stamps import to_ns
from speeddata.table import Array, Table

__all__ = ["open_hdf5"]


def open_hdf5(path: Path, options: ImportOptions) -> TableFile:
    """Open a file; each of its groups with a time is a channel. A group is read as a whole."""
    import hdf5plugin  # noqa: F401  (it registers the filters that exports may have)

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise FormatError(f"{path} is no HDF5 file, or a damaged one: {error}") from None
    found = _groups(file, options)
    if not found:
        file.close()
        raise FormatError(
            f"{path} has no group with a dataset of times ({', '.join(TIME_NAMES[:4])} ...): --time-column names one"
        )
    first_name, first = next(iter(found.items()))
    time_ns, columns, units = _read(first, options)
    kinds, notes = _kinds(columns, units)
    for name, group in found.items():
        if set(_names(group)) != set(_names(first)):
            raise FormatError(
                f"groups {first_name!r} and {name!r} have other datasets: --group imports one of {', '.join(map(repr, found))}"
            )
    del time_ns, columns

    def tables() -> Iterator[tuple[str, Table]]:
        for name, group in found.items():
            times, signals, _ = _read(group, options)
            kept = {heading: signals[heading] for heading in kinds if heading in signals}
            yield (name if len(found) > 1 else ""), Table(times, kept)

    about = {"format": "HDF5", "groups": ", ".join(found)}
    name = first_name if len(found) == 1 and first_name != "/" else path.stem
    total = sum(_length(group, options) for group in found.values())
    return TableFile(name, about, kinds, total, tables, notes, close=file.close)


def _groups(file: h5py.File, options: ImportOptions) -> dict[str, Any]:
    """The groups, or compound datasets, that have a time, by their channels' names."""
    found: dict[str, Any] = {}

    def look(name: str, item: Any) -> None:
        if _time_name(item, options) is not None and (options.group in (None, name, f"/{name}")):
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
