"""A channel as one compound dataset, `layout=table`: a field for the time and for each signal.

Less is stored beside the values than for a dataset a signal, which counts where signals are many and records few. The
attribute `fields` (JSON) has what else is an attribute of each dataset. Arrays are of variable length.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import h5py
import numpy as np

from speeddata.hdf5_about import NULLS, Nulls, null_rows, write_about
from speeddata.hdf5_column import BYTES, Packed, infer_kind, pack, unpack_column
from speeddata.hdf5_filters import load_filters
from speeddata.hdf5_names import GIVEN_NAME, stored_names
from speeddata.regroup import regroup
from speeddata.table import Array, Table

__all__ = ["CompoundGroup", "is_table", "read_table"]

CHUNK = 1 << 16  # rows of a chunk,
CHUNK_BYTES = 1 << 22  # and about its largest size
LAYOUT = "layout"


class CompoundGroup:
    """A channel being written; it has what `speeddata.hdf5.Group` has."""

    def __init__(
        self,
        file: h5py.File,
        name: str,
        kinds: Mapping[str, str],
        units: Mapping[str, str | None],
        filters: Mapping[str, Any] | None = None,
    ) -> None:
        self._file, self._name = file, name
        self._kinds, self._units = kinds, units
        self._filters = dict(filters or {})
        self._dataset: h5py.Dataset | None = None
        self._fields: dict[str, dict[str, Any]] = {}
        self._nulls: dict[str, Nulls] = {}
        self.records = 0

    def write(self, tables: Iterable[Table]) -> None:
        """Write tables; one without rows at the least, so that the dataset is there."""
        ahead = iter(tables)
        first = next(ahead, None)
        if first is None:
            return
        for piece in regroup(chain([first], ahead), CHUNK):
            self._add(piece)
        if self._dataset is None:
            self._add(first)

    def finish(
        self,
        schema: str = "",
        gaps: Sequence[tuple[int, int]] = (),
        damage: Sequence[Mapping[str, Any]] = (),
        **more: Any,
    ) -> None:
        """Tell about the records written."""
        if self._dataset is None:
            self._add(Table(np.empty(0, np.int64), {}))
        assert self._dataset is not None
        for stored, nulls in self._nulls.items():
            nulls.finish(self._dataset, f"{NULLS}:{stored}")
        self._dataset.attrs[LAYOUT] = "table"
        self._dataset.attrs["fields"] = json.dumps(self._fields, ensure_ascii=False)
        write_about(self._dataset, self.records, schema, gaps, damage, more)

    def _add(self, table: Table) -> None:
        columns = {"time": Packed(table.time_ns, "number")}
        self._describe("time", columns["time"], "ns", "long")
        for name, stored in stored_names("signal", table.columns, ("time",)).items():
            kind = self._kinds.get(name) or infer_kind(table.columns[name])
            packed = _as_field(pack(table.columns[name], kind))
            if name != stored:
                packed.attributes[GIVEN_NAME] = name
            self._describe(stored, packed, self._units.get(name) or "", kind)
            columns[stored] = packed
        if self._dataset is None:
            self._dataset = self._create(columns, len(table))
        dataset = self._dataset
        if len(table):
            dataset.resize(self.records + len(table), axis=0)
            dataset[self.records :] = _rows(columns, dataset.dtype, len(table))
        for stored, packed in columns.items():
            if packed.nulls:
                nulls = self._nulls.setdefault(stored, Nulls(self._file, f"{dataset.name}/{stored}"))
                nulls.add(np.array(packed.nulls, np.int64) + self.records)
        self.records += len(table)

    def _describe(self, stored: str, packed: Packed, unit: str, kind: str) -> None:
        told = {
            key: value.item() if isinstance(value, np.generic) else value
            for key, value in packed.attributes.items()
        }
        self._fields.setdefault(stored, {"unit": unit, "type": kind}).update(told)

    def _create(self, columns: Mapping[str, Packed], count: int) -> h5py.Dataset:
        dtype = np.dtype([(name, packed.dtype) for name, packed in columns.items()])
        most = max(1, min(CHUNK, CHUNK_BYTES // dtype.itemsize))
        # What is shorter than a chunk is all there is.
        rows = min(1 << most.bit_length() - 1, 1 << max(0, count - 1).bit_length())
        return self._file.create_dataset(
            self._name, (0,), dtype, maxshape=(None,), chunks=(rows,), **self._filters
        )


def _as_field(packed: Packed) -> Packed:
    """A column as one field can have it: rows of arrays may have another length later, and fixed are told as bytes."""
    given, kind = packed.data, packed.dtype.kind
    if given.ndim > 1 or kind == "V":
        packed.data = np.empty(len(given), object)
        for place, row in enumerate(given):
            packed.data[place] = np.frombuffer(row.tobytes(), np.uint8) if kind == "V" else row
        packed.dtype = BYTES if kind == "V" else h5py.vlen_dtype(packed.dtype)
    if kind == "V":
        packed.attributes["encoding"] = "bytes"
    return packed


def _rows(columns: Mapping[str, Packed], dtype: np.dtype[Any], count: int) -> Array:
    rows = np.empty(count, dtype)
    for name, packed in columns.items():
        rows[name] = packed.data
    return rows


def is_table(item: Any) -> bool:
    """Whether this is a channel of `layout=table`."""
    return (
        isinstance(item, h5py.Dataset) and item.dtype.names is not None and item.attrs.get(LAYOUT) == "table"
    )


def read_table(dataset: h5py.Dataset) -> tuple[Array, dict[str, Array], dict[str, str]]:
    """Read time in ns, signals, and their units."""
    load_filters(dataset)
    fields, rows = json.loads(dataset.attrs["fields"]), dataset[()]
    signals, units = {}, {}
    for stored in rows.dtype.names:
        told = fields.get(stored, {})
        if stored == "time":
            continue
        name = told.get(GIVEN_NAME, stored)
        nulls = null_rows(dataset, f"{NULLS}:{stored}")
        signals[name] = unpack_column(_texts(rows[stored]), told, nulls)
        units[name] = told.get("unit", "")
    return np.ascontiguousarray(rows["time"]), signals, units


def _texts(column: Array) -> Array:
    """A field by itself; h5py gives the texts of a compound as bytes."""
    column = np.ascontiguousarray(column)
    if h5py.check_string_dtype(column.dtype) is None:
        return column
    out = np.empty(len(column), object)
    for row, value in enumerate(column):
        out[row] = value.decode() if isinstance(value, bytes) else value
    return out
