"""One column as an HDF5 dataset, and back.

Numbers, booleans and arrays of equal length are datasets of their own type (2-D for arrays). The rest has a type of
variable length: text UTF-8, bytes `uint8`, arrays their numbers; maps, other unions and arrays of anything else are JSON
text, said by the attribute `encoding`. Fixed is opaque. Nulls: NaN in float columns; in integers and booleans a value
that the attribute `_FillValue` tells; elsewhere an empty value, and the attribute `nulls` has the rows.
"""

import base64
import json
import math
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from speeddata.hdf5_about import null_rows
from speeddata.table import Array

__all__ = ["FILL", "Packed", "infer_kind", "pack", "unpack", "unpack_column"]

FILL = "_FillValue"
NUL = "\N{SYMBOL FOR NULL}"  # what stands for U+0000, which HDF5's text ends at
TEXT = h5py.string_dtype("utf-8")
BYTES = h5py.vlen_dtype(np.uint8)


class Packed:
    """A column as HDF5 takes it."""

    def __init__(self, data: Array, kind: str, dtype: Any = None) -> None:
        self.data = data
        self.dtype = data.dtype if dtype is None else dtype
        self.attributes: dict[str, Any] = {}
        self.nulls: list[int] = []  # rows
        if kind in ("bytes", "json"):
            self.attributes["encoding"] = kind


def infer_kind(column: Array) -> str:
    """The kind of a column of which no schema tells."""
    if column.dtype.kind in "US":
        return "string"
    if column.dtype != object:
        return "fixed" if column.dtype.kind == "V" else "number"
    seen = {type(value) for value in column} - {type(None)}
    if seen <= {str}:
        return "string"
    if seen <= {bytes}:
        return "bytes"
    return "array" if seen <= {np.ndarray} else "json"


def pack(column: Array, kind: str) -> Packed:
    """Convert a column; `kind` is the Avro type of its values, or as inferred."""
    if isinstance(column, np.ma.MaskedArray):
        return _pack_masked(column)
    if column.dtype.kind in "biuf":
        return Packed(column, "number")
    if column.dtype.kind in "US":
        column = column.astype(object)
    if kind in ("string", "enum"):
        return _pack_text(column)
    if kind == "bytes":
        return _pack_objects(column, kind, BYTES, b"", lambda value: np.frombuffer(value, np.uint8))
    if kind == "fixed":
        return _pack_fixed(column)
    parts = [value for value in column if value is not None]
    if kind == "array" and all(
        isinstance(v, np.ndarray) and v.ndim == 1 and v.dtype != object for v in parts
    ):
        dtype = np.result_type(*{part.dtype for part in parts}) if parts else np.dtype(np.float64)
        return _pack_objects(column, kind, h5py.vlen_dtype(dtype), (), lambda value: np.asarray(value, dtype))
    return _pack_objects(column, "json", TEXT, None, _dump)


def _pack_masked(column: "np.ma.MaskedArray[Any, Any]") -> Packed:
    mask = np.ma.getmaskarray(column)
    if column.dtype == np.bool_:
        packed = Packed(np.where(mask, -1, column.data).astype(np.int8), "boolean")
        packed.attributes = {FILL: np.int8(-1), "encoding": "boolean"}
        return packed
    fill = np.iinfo(column.dtype).min if column.dtype.kind in "iu" else np.nan
    packed = Packed(np.where(mask, np.array(fill, column.dtype), column.data), "number")
    packed.attributes[FILL] = np.array(fill, column.dtype)[()]
    if ((packed.data == fill) & ~mask).any():
        packed.attributes["fill_value_is_also_data"] = True
    return packed


def _pack_text(column: Array) -> Packed:
    packed = Packed(column, "string", TEXT)
    packed.nulls = [row for row, value in enumerate(column) if value is None]
    if packed.nulls:
        packed.data = column.copy()
        packed.data[packed.nulls] = ""
    if any("\0" in value for value in packed.data):
        packed.data = np.array([value.replace("\0", NUL) for value in packed.data], object)
        packed.attributes["nul_shown_as"] = NUL
    return packed


def _pack_objects(column: Array, kind: str, dtype: Any, null: Any, convert: Any) -> Packed:
    out = np.empty(len(column), object)
    packed = Packed(out, kind, dtype)
    for row, value in enumerate(column):
        if value is None and kind != "json":
            packed.nulls.append(row)
            value = null
        out[row] = convert(value)
    return packed


def _pack_fixed(column: Array) -> Packed:
    if column.dtype != object:
        return Packed(column, "fixed")
    size = max((len(value) for value in column if value is not None), default=1)
    nulls = [row for row, value in enumerate(column) if value is None]
    data = b"".join(bytes(size) if value is None else value for value in column)
    packed = Packed(np.frombuffer(data, f"V{size}"), "fixed")
    packed.nulls = nulls
    return packed


def unpack(dataset: h5py.Dataset) -> Array:
    """Read a dataset as the column it was made from; one of any other maker as what it is."""
    if h5py.check_string_dtype(dataset.dtype) is not None:
        column: Array = np.asarray(dataset.asstr()[()], object)
    else:
        column = np.asarray(dataset[()])
    return unpack_column(column, dict(dataset.attrs), null_rows(dataset))


def unpack_column(column: Array, attributes: Mapping[str, Any], nulls: Array) -> Array:
    """The column that was stored as this, with these attributes and these rows null; texts are given as such."""
    encoding = attributes.get("encoding")
    if encoding == "json" and column.dtype == object:
        column = _objects([json.loads(value, parse_constant=float) for value in column])
    if encoding == "bytes" or column.dtype.kind == "V" and column.dtype.names is None:
        column = _objects([value.tobytes() for value in column])
    if column.dtype == object and len(nulls):
        column[nulls] = None
    fill = attributes.get(FILL)
    if fill is None or column.dtype.kind not in "iu":
        return column
    mask = column == fill
    return np.ma.MaskedArray(column.astype(np.bool_) if encoding == "boolean" else column, mask)


def _objects(values: list[Any]) -> Array:
    out = np.empty(len(values), object)
    for row, value in enumerate(values):
        out[row] = value
    return out


def _dump(value: Any) -> str:
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace(
        "\0", NUL
    )


def _plain(value: Any) -> Any:
    """What JSON can hold of a value: bytes as base64, numbers that are not finite as text."""
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
