"""What users give as a column of numbers, as an array of exactly the type that the schema says.

Nothing is bent to fit: a value that the field cannot hold is an error that names field, row, value and what was expected.
Only the precision of a real number may be less (double to float), and whole numbers may go into real fields.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from speeddata.errors import RecordError
from speeddata.pack import unexpected

__all__ = ["array_column", "column_items", "number_column"]

Array = NDArray[Any]

# By Avro's type: the array's type, the kinds of numpy type that it may be made of, and what to call it.
RULES: dict[str, tuple[type[np.generic], str, str]] = {
    "int": (np.int32, "iu", "a whole number from -2147483648 to 2147483647"),
    "long": (np.int64, "iu", "a whole number from -9223372036854775808 to 9223372036854775807"),
    "float": (np.float32, "iuf", "a number that fits a float"),
    "double": (np.float64, "iuf", "a number"),
    "boolean": (np.bool_, "b", "a boolean"),
}
# numpy.nan, bit for bit: in a nullable column it stands for null, and other NaNs for themselves, so that what was decoded
# is encoded as it was.
NULL_BITS: dict[str, np.uint32 | np.uint64] = {
    "float": np.uint32(0x7FC00000),
    "double": np.uint64(0x7FF8000000000000),
}


def number_column(name: str, kind: str, nullable: bool, given: ArrayLike) -> tuple[Array, Array | None]:
    """Give the values of a column, and where it is null (None: nowhere); both contiguous, a row an item.

    Null are the masked values of a masked array, None, and `numpy.nan` in an array of floats without a mask.
    """
    masked = isinstance(given, np.ma.MaskedArray)
    data = _array(name, np.ma.getdata(given) if masked else given)
    nulls = np.ma.getmaskarray(np.ma.asarray(given)) if masked else None
    if data.ndim != 1:
        raise RecordError(f"field {name!r}: expected a column of one value a row, not the shape {data.shape}")
    if data.dtype.kind == "O":
        missing = np.fromiter((value is None for value in data), np.bool_, len(data))
        nulls = missing if nulls is None else nulls | missing
    if nulls is not None and nulls.any():
        if not nullable:
            row = int(nulls.argmax())
            raise _unexpected(name, row, RULES[kind][2], None)
        data = data.copy()
        data[nulls] = False if kind == "boolean" else 0  # what stands where nothing is does not count
    values = _convert(name, kind, data)
    if nullable and kind in NULL_BITS and not masked:
        bits = values.view(NULL_BITS[kind].dtype) == NULL_BITS[kind]
        nulls = bits if nulls is None else nulls | bits
    return values, None if nulls is None else np.ascontiguousarray(nulls)


def array_column(name: str, kind: str, given: ArrayLike) -> tuple[Array, Array]:
    """Give the items of a column of arrays, end to end, and how many each row has."""
    if isinstance(given, np.ndarray) and given.ndim == 2 and given.dtype.fields is None:
        if np.ma.getmaskarray(given).any():
            raise RecordError(f"field {name!r}: expected numbers, not masked values")
        data = np.ma.getdata(given)
        counts = np.full(data.shape[0], data.shape[1], np.int64)
        return number_column(name, kind, False, data.ravel())[0], counts
    items = [_items(name, row, kind, item) for row, item in enumerate(column_items(name, given))]
    counts = np.array([len(item) for item in items], np.int64)
    return np.concatenate([np.empty(0, RULES[kind][0]), *items]), counts


def column_items(name: str, given: Any) -> list[Any]:
    """Give the values of a column that is not of numbers; None where it is masked."""
    with suppress(TypeError):  # of what cannot be iterated
        if not isinstance(given, (str, bytes, bytearray, memoryview, Mapping)):
            return [None if item is np.ma.masked else item for item in given]
    raise unexpected(name, "a column of one value a row", given)


def _items(name: str, row: int, kind: str, given: Any) -> Array:
    if not isinstance(given, np.ndarray) and (
        not isinstance(given, Sequence) or isinstance(given, (str, bytes))
    ):
        raise _unexpected(name, row, "an array of numbers", given)
    try:
        return number_column(name, kind, False, given)[0]
    except RecordError as error:
        raise RecordError(f"row {row}: {error}") from None


def _array(name: str, given: ArrayLike) -> Array:
    """Give an array that holds what was given, no item changed for the sake of another."""
    types = set(map(type, given)) if isinstance(given, (list, tuple)) else set()
    if len(types) > 1 or np.ma.core.MaskedConstant in types:
        assert isinstance(given, (list, tuple))
        mixed = np.empty(
            len(given), np.object_
        )  # numpy would make texts of [1, "2"], and a 1 of the True in [2, True]
        for row, value in enumerate(given):
            mixed[row] = None if value is np.ma.masked else value
        return mixed
    try:
        data = np.asarray(given)
    except ValueError:
        raise unexpected(name, "a column of one value a row", given) from None
    if data.dtype.fields is not None:
        raise unexpected(name, "a column of one value a row", given)
    return data


def _convert(name: str, kind: str, data: Array) -> Array:
    """Give the values as the type that the field has; each is checked to be one that it can hold."""
    target, sources, wanted = RULES[kind]
    if data.dtype.kind == "O":
        data = _settle(name, kind, data)
    if data.dtype.kind not in sources:
        if data.size:
            raise _unexpected(name, 0, wanted, data[0])
        return np.empty(0, target)
    if "f" not in sources and "i" in sources and data.size:
        low, high = np.iinfo(target).min, np.iinfo(target).max  # type: ignore[type-var]
        for row in (int(data.argmin()), int(data.argmax())):
            if not low <= int(data[row]) <= high:
                raise _unexpected(name, row, wanted, data[row])
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.ascontiguousarray(data, target)
    if "f" in sources and data.dtype.itemsize > values.dtype.itemsize:
        large = np.isinf(values) & np.isfinite(data)
        if large.any():
            raise _unexpected(name, int(large.argmax()), wanted, data[large.argmax()])
    return values


def _settle(name: str, kind: str, data: Array) -> Array:
    """Give an array of Python objects the numpy type of its values, which must all be of the right kind."""
    _, sources, wanted = RULES[kind]
    for row, value in enumerate(data):
        if np.asarray(value).dtype.kind not in sources or np.ndim(value):
            raise _unexpected(name, row, wanted, value)
    settled = np.array(data.tolist())
    return settled if data.size else np.empty(0, RULES[kind][0])


def _unexpected(name: str, row: int, wanted: str, value: Any) -> RecordError:
    return RecordError(f"row {row}: {unexpected(name, wanted, value)}")
