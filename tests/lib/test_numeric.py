"""Columns of numbers as users give them."""

import warnings
from typing import Any

import numpy as np
import pytest

from speeddata.errors import RecordError
from speeddata.numeric import array_column, number_column


@pytest.mark.parametrize(
    ("kind", "given", "wanted"),
    [
        ("int", [1, 2], np.array([1, 2], np.int32)),
        ("long", np.array([2**63 - 1], np.uint64), np.array([2**63 - 1], np.int64)),
        ("float", [1, 2.5], np.array([1, 2.5], np.float32)),
        ("float", np.array([1e-50]), np.array([0], np.float32)),
        ("float", [np.inf, -np.inf], np.array([np.inf, -np.inf], np.float32)),
        ("double", np.array([1.5], np.float16), np.array([1.5])),
        ("double", np.array([1.5], np.longdouble), np.array([1.5])),
        ("double", [2**60, 1], np.array([2.0**60, 1])),
        ("double", [np.float32(0.5), 2], np.array([0.5, 2])),
        ("boolean", [True, np.False_], np.array([True, False])),
        ("int", [], np.array([], np.int32)),
        ("boolean", np.array([], object), np.array([], bool)),
    ],
)
def test_values(kind: str, given: Any, wanted: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values, nulls = number_column("x", kind, False, given)
    assert nulls is None or not nulls.any()
    assert values.dtype == wanted.dtype
    assert values.flags.c_contiguous
    assert values.tolist() == wanted.tolist()


@pytest.mark.parametrize(
    ("given", "nulls"),
    [
        ([1.0, None], [False, True]),
        ([1.0, np.nan], [False, True]),
        ([None, np.nan, 2], [True, True, False]),
        (np.ma.MaskedArray([1.0, 2.0], mask=[True, False]), [True, False]),
        (np.ma.MaskedArray([np.nan, 2.0]), [False, False]),
        (np.ma.MaskedArray([None, 2.0, 3.0], mask=[False, True, False], dtype=object), [True, True, False]),
        ([], []),
    ],
)
def test_nulls(given: Any, nulls: list[bool]) -> None:
    for kind in ("float", "double"):
        found = number_column("x", kind, True, given)[1]
        assert found is not None
        assert found.tolist() == nulls
    if any(nulls) and not any(isinstance(value, float) and value != value for value in np.ma.getdata(given)):
        with pytest.raises(
            RecordError, match=f"row {nulls.index(True)}: field 'x': expected a number, not None"
        ):
            number_column("x", "double", False, given)


def test_what_is_masked_does_not_count() -> None:
    given = np.ma.MaskedArray(np.array([2**40, 5]), mask=[True, False])
    values, nulls = number_column("x", "int", True, given)
    assert (values.tolist(), None if nulls is None else nulls.tolist()) == ([0, 5], [True, False])
    assert given.data[0] == 2**40  # what was given is as it was


@pytest.mark.parametrize(
    "given", [[1, "2"], [True, 2], [1, 2.0], [1, [2]], ["1"], [[1], [2]], [np.datetime64("now")], 5]
)
def test_nothing_is_bent_to_fit(given: Any) -> None:
    with pytest.raises(RecordError, match="field 'x'"):
        number_column("x", "int", False, given)


def test_arrays() -> None:
    items, counts = array_column("x", "int", [[1, 2], [], np.array([3])])
    assert (items.tolist(), counts.tolist(), items.dtype) == ([1, 2, 3], [2, 0, 1], np.int32)
    items, counts = array_column("x", "float", np.ones((2, 3)))
    assert (items.tolist(), counts.tolist(), items.dtype) == ([1] * 6, [3, 3], np.float32)
    items, counts = array_column("x", "long", [])
    assert (items.dtype, counts.dtype, len(items)) == (np.int64, np.int64, 0)
    for bad in (5, "ab", [5], [[1], None], [[1], [[2]]], [["a"]], np.ones((2, 2, 2)), [[1.5]]):
        with pytest.raises(RecordError, match="field 'x'"):
            array_column("x", "int", bad)  # type: ignore[arg-type]
