"""A set as an HDF5 file: a group per channel, a dataset per signal, the time as int64 nanoseconds.

Each group has `time` (attribute `unit` = "ns") and the attributes `schema`, `gaps` (time of the record before and number of
records missing, by the channel's sequence field) and `damage` (what could not be read). Each dataset has `unit` and `type`.
Files of SpeedData up to 0.6, which have no attributes, are read as well.
"""

import math
import re
import socket
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any

import h5py
import numpy as np

from speeddata.errors import FormatError
from speeddata.hdf5_about import Nulls, write_about
from speeddata.hdf5_column import Packed, infer_kind, pack, unpack
from speeddata.hdf5_filters import load_filters
from speeddata.hdf5_names import GIVEN_NAME, check_text, given_name, stored_names
from speeddata.hdf5_table import is_table, read_table
from speeddata.regroup import regroup
from speeddata.stamps import to_ns
from speeddata.table import Array, Table

__all__ = ["Group", "create_file", "read_group", "telling", "write_group"]

CHUNK = 1 << 16  # rows of a chunk, where a column does not come in one piece,
CHUNK_BYTES = 1 << 20  # and about its largest size
LOOSENED = "\N{DIVISION SLASH}loosened"  # what no signal is stored as, while its dataset is made anew
# What comes up where a file is damaged, or is another than we take it for.
READ_ERRORS = (AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)


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

    def __init__(
        self,
        group: h5py.Group,
        kinds: Mapping[str, str],
        units: Mapping[str, str | None],
        filters: Mapping[str, Any] | None = None,
    ) -> None:
        self._group = group
        self._kinds = kinds
        self._units = units
        self._filters = dict(filters or {})
        self._nulls: dict[str, Nulls] = {}
        self.records = 0

    def write(self, tables: Iterable[Table]) -> None:
        """Write tables. One alone is stored in one piece, several in chunks that are appended to."""
        ahead = iter(tables)
        head = list(islice(ahead, 2))
        if len(head) > 1 or self.records or self._filters and any(map(len, head)):
            ahead = regroup(chain(_taken(head), ahead), CHUNK, several=True)
            head = list(islice(ahead, 2))
        whole = len(head) < 2 and not self.records and not (self._filters and any(map(len, head)))
        for table in chain(_taken(head), ahead):
            self._add(table, whole)
            self.records += len(table)

    def finish(
        self,
        schema: str = "",
        gaps: Sequence[tuple[int, int]] = (),
        damage: Sequence[Mapping[str, Any]] = (),
        **more: Any,
    ) -> None:
        """Tell about the records written; `damage` is what could not be read, `more` are attributes."""
        for name, nulls in self._nulls.items():
            nulls.finish(self._group[name])
        write_about(self._group, self.records, schema, gaps, damage, more)

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
            nulls = self._nulls.setdefault(name, Nulls(dataset.file, dataset.name))
            nulls.add(np.array(packed.nulls, np.int64) + self.records)

    def _create(self, name: str, packed: Packed, whole: bool) -> h5py.Dataset:
        """Make a dataset: filled when the table is all there is, else empty and open-ended."""
        data = packed.data
        if whole:
            return self._group.create_dataset(name, data=data, dtype=packed.dtype)
        width, dtype = data.shape[1:], packed.dtype
        if 0 in width:
            width, dtype = (), h5py.vlen_dtype(dtype)
        most = max(1, min(CHUNK, CHUNK_BYTES // row_size(dtype, width)))
        # What is shorter than a chunk is all there is.
        rows = min(1 << most.bit_length() - 1, 1 << max(0, len(data) - 1).bit_length())
        return self._group.create_dataset(
            name, (0, *width), dtype, maxshape=(None, *width), chunks=(rows, *width), **self._filters
        )

    def _append(self, name: str, packed: Packed) -> None:
        data, dataset = packed.data, self._group[name]
        if dataset.shape[1:] != data.shape[1:] or _is_vlen(dataset.dtype) != _is_vlen(packed.dtype):
            dataset, data = self._loosen(name), _rows(data)
        if packed.dtype.kind == "V" and dataset.dtype.itemsize != packed.dtype.itemsize:
            dataset = self._widen(name, packed)
        dataset.resize(self.records + len(data), axis=0)
        if not len(data):
            return
        if _is_vlen(dataset.dtype):
            _write_rows(dataset, self.records, data)
        else:
            dataset[self.records :] = data

    def _loosen(self, name: str) -> h5py.Dataset:
        """Arrays had one length, and now have another: store what is written by variable length."""
        old = self._group[name]
        if _is_vlen(old.dtype):
            return old
        kept = f"{name}{LOOSENED}"
        dtype = h5py.vlen_dtype(old.dtype)
        new = self._group.create_dataset(kept, old.shape[:1], dtype, maxshape=(None,), chunks=(CHUNK,))
        for first in range(0, len(old), CHUNK):
            _write_rows(new, first, _rows(old[first : first + CHUNK]))
        new.attrs.update(dict(old.attrs))
        del self._group[name]
        self._group.move(kept, name)
        return new

    def _widen(self, name: str, packed: Packed) -> h5py.Dataset:
        """All values were null, so that nobody knew how large they are."""
        attributes = dict(self._group[name].attrs)
        del self._group[name]
        new = self._create(name, packed, whole=False)
        new.attrs.update(attributes)
        return new


def row_size(dtype: np.dtype[Any], width: tuple[int, ...]) -> int:
    """Bytes of a row."""
    return int(dtype.itemsize * max(1, math.prod(width)))


def write_group(
    file: h5py.File,
    name: str,
    tables: Iterable[Table],
    *,
    kinds: Mapping[str, str],
    units: Mapping[str, str | None],
    stored: str | None = None,
    filters: Mapping[str, Any] | None = None,
) -> Group:
    """Write the group of a channel, which may be stored by another name; the caller finishes it.

    `filters` is what `speeddata.hdf5_filters` gives for a compression.
    """
    made = file.create_group(stored or name, track_order=True)
    if stored not in (None, name):
        made.attrs[GIVEN_NAME] = name
    group = Group(made, kinds, units, filters)
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


def read_group(group: h5py.Group | h5py.Dataset) -> tuple[Array, dict[str, Array], dict[str, str]]:
    """Read time in ns (empty when there is none), signals, and their units."""
    if is_table(group):
        with telling(group):
            return read_table(group)
    signals, units = {}, {}
    time_ns: Array = np.empty(0, np.int64)
    with telling(group):
        for name, dataset in _datasets(group):
            with telling(dataset):
                load_filters(dataset)
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


def _taken(tables: list[Table]) -> Iterator[Table]:
    """The tables of a list, which lets go of them."""
    while tables:
        yield tables.pop(0)


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
