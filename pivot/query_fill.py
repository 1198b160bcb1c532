"""What stands in buckets without values: nothing, null, the value before, or what lies on the line between its neighbours."""

import numpy as np

from speeddata.table import Array

__all__ = ["FILLS", "fill_column", "there"]

FILLS = ("none", "null", "previous", "linear")


def fill_column(fill: str, starts: Array, column: Array) -> Array:
    """A column of buckets that begin at `starts` with its gaps filled; what nothing can fill stays empty."""
    valid = there(column)
    if fill not in ("previous", "linear") or valid.all() or not valid.any():
        return column
    if fill == "previous" or column.dtype == object or column.dtype.kind == "b":
        return _previous(column, valid)
    inside = starts.astype(np.float64) - float(starts[0])
    known = np.ma.getdata(column)[valid].astype(np.float64)
    filled: Array = np.interp(inside, inside[valid], known, left=np.nan, right=np.nan)
    filled[valid] = known
    return filled


def there(column: Array) -> Array:
    """Which rows of a column have a value that is neither null nor NaN; of arrays NaN is a value."""
    data = np.ma.getdata(column)
    if data.dtype == object:
        return np.fromiter((value is not None for value in data), np.bool_, len(data))
    valid: Array
    if data.ndim > 1:
        valid = np.asarray(~np.ma.getmaskarray(column).any(tuple(range(1, data.ndim))))
    elif data.dtype.kind == "f":
        valid = data == data  # NaN is not
        if isinstance(column, np.ma.MaskedArray):
            valid &= ~np.ma.getmaskarray(column)
    else:
        valid = ~np.ma.getmaskarray(column)
    return valid


def _previous(column: Array, valid: Array) -> Array:
    place = np.maximum.accumulate(np.where(valid, np.arange(len(column)), -1))
    before = place < 0
    filled: Array = np.ma.getdata(column)[np.maximum(place, 0)]
    if column.dtype == object:
        filled[before] = None
    elif filled.dtype.kind == "f":
        filled[before] = np.nan
    else:
        filled = np.ma.MaskedArray(filled, mask=before)
    return filled
