import numpy as np
import pytest

from speeddata.columns import decode
from speeddata.errors import RecordError
from speeddata.pivot.ingest_arrays import encode_arrays, listed, plain_times
from speeddata.pivot.ingest_specs import Known
from speeddata.plan import Plan
from speeddata.schema import Schema

FIELDS = [
    {"name": "time", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "x", "type": "double"},
    {"name": "n", "type": ["null", "int"]},
    {"name": "s", "type": ["null", "string"]},
    {"name": "d", "type": "int", "default": 7},
]


def known(fields=FIELDS, unit="ms"):
    schema = Schema.parse({"type": "record", "name": "test", "fields": fields}, time_unit=unit)
    return Known("test", {}, Plan(schema), unit)


def encode(columns, given=None, to=None, ignore_unknown=False):
    to = to or known()
    data, newest = encode_arrays(to, columns, given, ignore_unknown)
    return {name: column.tolist() for name, column in decode(to.plan, data).items()}, newest


def test_signals_that_did_not_come_are_filled_in():
    made, newest = encode({"time": np.array([1, 3, 2]), "x": np.ones(3)})
    assert made == {"time": [1, 3, 2], "x": [1.0] * 3, "n": [None] * 3, "s": [None] * 3, "d": [7] * 3}
    assert newest == 3_000_000


@pytest.mark.parametrize(
    ("kind", "unit", "given", "time", "stored"),
    [
        ("long", "ms", "ns", [1_500_000, -1], [1, -1]),
        ("long", "ms", "s", [1.5, 2], [1500, 2000]),
        ("double", "s", "ms", [1500, -500], [1.5, -0.5]),
        ("long", "s", None, [5, 6], [5, 6]),
    ],
)
def test_times_become_the_channels_unit(kind, unit, given, time, stored):
    to = known([{"name": "time", "type": kind}], unit)
    assert encode({"time": np.array(time)}, given, to)[0]["time"] == stored


def test_datetimes_become_ns():
    times = np.array(["2026-01-01", "NaT"], "datetime64[s]")
    columns, unit = plain_times({"time": times}, "time", None)
    assert (columns["time"].tolist(), unit) == ([1767225600 * 10**9, None], "ns")
    assert plain_times({"time": [1]}, "time", "ms") == ({"time": [1]}, "ms")


@pytest.mark.parametrize(
    "columns",
    [
        {"x": np.ones(1)},
        {"time": np.array([1])},
        {"time": ["2026-01-01"], "x": np.ones(1)},
        {"time": np.array([2**63], np.uint64), "x": np.ones(1)},
        {"time": np.array([2**62]), "x": np.ones(1)},
        {"time": np.array([np.nan]), "x": np.ones(1)},
        {"time": np.array([[1]]), "x": np.ones(1)},
        {"time": np.array([1]), "x": np.array(["a"], object)},
        {"time": np.array([1]), "x": np.ones(1), "z": np.ones(1)},
        {"time": np.array([1, 2]), "x": np.ones(1)},
    ],
)
def test_what_does_not_fit(columns):
    with pytest.raises(RecordError):
        encode(columns)


def test_unknown_columns_may_be_left_out():
    assert encode({"time": np.array([1]), "x": np.ones(1), "z": 5}, ignore_unknown=True)[1] == 1_000_000


def test_lists_of_arrays():
    columns = {"a": np.ma.MaskedArray([1, 2], [False, True]), "b": ["x", None]}
    assert listed(columns) == {"a": [1, None], "b": ["x", None]}
