"""What is told about a channel beside its values: its attributes, and which rows of its text columns are null."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from speeddata.table import Array

__all__ = ["GAP_DTYPE", "HIDDEN", "NULLS", "Nulls", "null_rows", "write_about"]

GAP_DTYPE = np.dtype([("after_ns", "<i8"), ("missing", "<i8")])
NULLS = "nulls"
HIDDEN = ".nulls"  # the group of a file that holds the rows which are too many for an attribute
MANY = 1 << 16  # rows


class Nulls:
    """The rows in which a dataset is null: an attribute, or where they are many a dataset that the attribute names."""

    def __init__(self, file: h5py.File, path: str) -> None:
        self._file = file
        self._path = f"/{HIDDEN}{path}"
        self._held: list[Array] = []
        self._count = 0
        self._stored = 0

    def add(self, rows: Array) -> None:
        """Note more rows, which follow those before."""
        self._held.append(rows)
        self._count += len(rows)
        if self._count - self._stored > MANY:
            self._store()

    def finish(self, dataset: h5py.Dataset, attribute: str = NULLS) -> None:
        """Tell the dataset that these are its nulls."""
        if self._stored:
            self._store()
            dataset.attrs[attribute] = self._path
        else:
            dataset.attrs[attribute] = np.concatenate(self._held)

    def _store(self) -> None:
        if self._path not in self._file:
            self._file.create_dataset(self._path, (0,), np.int64, maxshape=(None,), chunks=(MANY,))
        place = self._file[self._path]
        place.resize(self._count, axis=0)
        place[self._stored :] = np.concatenate([*self._held, np.empty(0, np.int64)])
        self._held, self._stored = [], self._count


def null_rows(dataset: h5py.Dataset, attribute: str = NULLS) -> Array:
    """The rows in which a dataset is null."""
    told = dataset.attrs.get(attribute)
    if told is None:
        return np.empty(0, np.int64)
    return np.asarray(dataset.file[told][()] if isinstance(told, str) else told)


def write_about(
    item: h5py.Group | h5py.Dataset,
    records: int,
    schema: str,
    gaps: Sequence[tuple[int, int]],
    damage: Sequence[Mapping[str, Any]],
    more: Mapping[str, Any],
) -> None:
    """Write the attributes of a channel."""
    item.attrs["schema"] = schema
    item.attrs["records"] = records
    item.attrs["gaps"] = np.array(list(gaps), GAP_DTYPE)
    item.attrs["corrupt_blocks"] = len(damage)
    item.attrs["damage"] = json.dumps(list(damage))
    for name, value in more.items():
        item.attrs[name] = value
