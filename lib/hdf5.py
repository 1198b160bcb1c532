"""A set as an HDF5 file: a group per channel, a dataset per signal, the time as int64 nanoseconds.

Each group has `time` (attribute `unit` = "ns") and the attributes `schema`, `gaps` (time of the record before and number of
records missing, by the channel's sequence field) and `damage` (what could not be read). Each dataset has `unit` and `type`.
Files of SpeedData up to 0.6, which have no attributes, are read as well.
"""

import json
import math
import re
import socket
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import h5py
import numpy as np

from speeddata.errors import FormatError
from speeddata.hdf5_column import Packed, infer_kind, pack, unpack
from speeddata.hdf5_names import GIVEN_NAME, check_text, given_name, stored_names
from speeddata.stamps import to_ns
from speeddata.table import Array, Table

__all__ = ["GAP_DTYPE", "Group", "create_file", "read_group", "telling", "write_group"]

CHUNK = 1 << 16  # rows of a chunk, where a column does not come in one piece,
CHUNK_BYTES = 1 << 20  # and about its largest size
# What comes up where a file is damaged, or is another than we take it for.
READ_ERRORS = (AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)
GAP_DTYPE = np.dtype([("after_ns", "<i8"), ("missing", "<i8")])


def create_file(path: Any, **attributes: Any) -> h5py.File:
    """Make the file of a set at a path, or in a file object of h5py's kind; attributes tell where it comes from."""
    from speeddata import __version__

    for name, value in attributes.items():
        check_text("attribute", name, *([value] if isinstance(value, str) else []))
    # The format of HDF5 1.8: older libraries limit the attributes of an object to 64 KiB.
    file = h5py.File(path, "w", libver=("v108", "v108"), track_order=True)
    file.attrs["speeddata"] = __version__
    file.attrs["host"] = socket.gethostname()
    file.attrs["created"] = datetime.now(UTC).isoformat()
    for name, value in attributes.items():
        file.attrs[name] = value
    return file


class Group:
    """A channel being written: tables in the order of time, then what is known about them."""

    def __init__(self, group: h5py.Group, kinds: Mapping[str, str], units: Mapping[str, str | None]) -> None:
        self._group = group
        self._kinds = kinds
        self._units = units
        self.records = 0

    def write(self, tables: Iterable[Table]) -> None:
        """Write tables. One alone is stored in one piece, several in chunks that are appended to."""
        ahead = iter(tables)
        table = next(ahead, None)
        while table is not None:
            after = next(ahead, None)
            self._add(table, whole=self.records == 0 and after is None)
            self.records += len(table)
            table = after

    def finish(
        self, schema: str = "", gaps: Sequence[tuple[int, int]] = (), damage: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """Tell about the records written; `damage` is what could not be read."""
        self._group.attrs["schema"] = schema
        self._group.attrs["records"] = self.records
        self._group.attrs["gaps"] = np.array(list(gaps), GAP_DTYPE)
        self._group.attrs["corrupt_blocks"] = len(damage)
        self._group.attrs["damage"] = json.dumps(list(damage))

    def _add(self, table: Table, whole: bool) -> None:
        self._put("time", Packed(table.time_ns, "number"), "ns", "long", whole)
        # `time` is the abscissa, in nanoseconds; another signal of that name steps aside.
        for name, stored in stored_names("signal", table.columns, ("time",)).items():
            kind = self._kinds.get(name) or infer_kind(table.columns[name])
            packed = pack(table.columns[name], kind)
            if name not in ("time", _plain(stored)):
                packed.attributes[GIVEN_NAME] = name
            self._put(stored, packed, self._units.get(name) or "", kind, whole)

    def _put(self, name: str, packed: Packed, unit: str, kind: str, whole: bool) -> None:
        if name not in self._group:
            dataset = self._create(name, packed, whole)
            dataset.attrs["unit"] = unit
            dataset.attrs["type"] = kind
        if not whole:
            self._append(name, packed)
        dataset = self._group[name]
        for key, value in packed.attributes.items():
            dataset.attrs[key] = value
        if packed.nulls:
            nulls = np.array(packed.nulls, np.int64) + self.records
            dataset.attrs["nulls"] = np.concatenate([dataset.attrs.get("nulls", nulls[:0]), nulls])

    def _create(self, name: str, packed: Packed, whole: bool) -> h5py.Dataset:
        """Make a dataset: filled when the table is all there is, else empty and open-ended."""
        data = packed.data
        if whole:
            return self._group.create_dataset(name, data=data, dtype=packed.dtype)
        width, dtype = data.shape[1:], packed.dtype
        if 0 in width:
            width, dtype = (), h5py.vlen_dtype(dtype)
        rows = max(1, min(CHUNK, CHUNK_BYTES // (dtype.itemsize * max(1, math.prod(width)))))
        return self._group.create_dataset(
            name, (0, *width), dtype, maxshape=(None, *width), chunks=(rows, *width)
        )

    def _append(self, name: str, packed: Packed) -> None:
        data, dataset = packed.data, self._group[name]
        if dataset.shape[1:] != data.shape[1:] or _is_vlen(dataset.dtype) != _is_vlen(packed.dtype):
            dataset, data = self._loosen(name), _rows(data)
        dataset.resize(self.records + len(data), axis=0)
        if _is_vlen(dataset.dtype):
            _write_rows(dataset, self.records, data)
        else:
            dataset[self.records :] = data

    def _loosen(self, name: str) -> h5py.Dataset:
        """Arrays had one length, and now have another: store what is written by variable length."""
        old = self._group[name]
        if _is_vlen(old.dtype):
            return old
        attributes, written = dict(old.attrs), old[()]
        del self._group[name]
        dtype = h5py.vlen_dtype(written.dtype)
        new = self._group.create_dataset(name, (len(written),), dtype, maxshape=(None,), chunks=(CHUNK,))
        _write_rows(new, 0, _rows(written))
        new.attrs.update(attributes)
        return new


def write_group(
    file: h5py.File,
    name: str,
    tables: Iterable[Table],
    *,
    kinds: Mapping[str, str],
    units: Mapping[str, str | None],
    stored: str | None = None,
) -> Group:
    """Write the group of a channel, which may be stored by another name; the caller finishes it."""
    made = file.create_group(stored or name, track_order=True)
    if stored not in (None, name):
        made.attrs[GIVEN_NAME] = name
    group = Group(made, kinds, units)
    group.write(tables)
    return group


@contextmanager
def telling(item: h5py.Group | h5py.Dataset) -> Iterator[None]:
    """Let errors tell the file, and the place in it that is not as it should be."""
    try:
        yield
    except FormatError:
        raise
    except READ_ERRORS as error:
        raise FormatError(f"{item.file.filename}: {item.name}: {error}") from error


def read_group(group: h5py.Group) -> tuple[Array, dict[str, Array], dict[str, str]]:
    """Read time in ns (empty when there is none), signals, and their units."""
    signals, units = {}, {}
    time_ns: Array = np.empty(0, np.int64)
    with telling(group):
        for name, dataset in _datasets(group):
            with telling(dataset):
                if name == "time":
                    time_ns = _read_time(dataset)
                else:
                    signals[name] = unpack(dataset)
                    units[name] = _text(dataset.attrs.get("unit")) or ""
        for name, signal in signals.items():
            if signal.shape[:1] != time_ns.shape:
                wanted = (
                    f"wanted {len(time_ns)} as its dataset 'time' has"
                    if "time" in group
                    else "no dataset 'time'"
                )
                raise ValueError(f"dataset {name!r} has the shape {signal.shape}, {wanted}")
    return time_ns, signals, units


def _read_time(dataset: h5py.Dataset) -> Array:
    if dataset.ndim != 1 or dataset.dtype.kind not in "iufM":
        raise ValueError(f"wanted a row of numbers as times, not {dataset.dtype} of shape {dataset.shape}")
    return to_ns(np.asarray(dataset[()]), _text(dataset.attrs.get("unit")))


def _datasets(group: h5py.Group) -> Iterator[tuple[str, h5py.Dataset]]:
    """The datasets of a group by the names of their signals; a group inside a channel's is left out, and told."""
    for stored in group:
        item = group.get(stored)
        if isinstance(item, h5py.Dataset):
            plain = _plain(stored)
            yield given_name(item.attrs) or (stored if plain in group else plain), item
        elif group.name != "/":
            warnings.warn(
                f"{group.file.filename}: {group.name}: {stored!r} is no dataset, left out", stacklevel=2
            )


def _plain(stored: str) -> str:
    """The name of a signal that is stored under a name and was given no other: with _ for each space."""
    return re.sub(r"\s", "_", stored)


def _text(value: Any) -> str | None:
    return value.decode() if isinstance(value, bytes) else value if isinstance(value, str) else None


def _is_vlen(dtype: np.dtype[Any]) -> bool:
    return h5py.check_vlen_dtype(dtype) is not None and h5py.check_string_dtype(dtype) is None


def _rows(data: Array) -> Array:
    out = np.empty(len(data), object)
    for row, value in enumerate(data):
        out[row] = value
    return out


def _write_rows(dataset: h5py.Dataset, first: int, rows: Array) -> None:
    """Write arrays of variable length; h5py's own assignment takes rows of equal length for a second dimension."""
    memory, place = h5py.h5s.create_simple((len(rows),)), dataset.id.get_space()
    place.select_hyperslab((first,), (len(rows),))
    dataset.id.write(memory, place, rows.astype(dataset.dtype), h5py.h5t.py_create(dataset.dtype))
