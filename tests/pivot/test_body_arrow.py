import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.pivot.body_arrow import read_arrow
from speeddata.pivot.problem import Problem
from speeddata.schema import Schema

LIMIT = 1 << 24


def stream(table, **options):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def column(array):
    (part,) = read_arrow(stream(pa.table({"x": array})), "c", LIMIT)
    return part.content.columns["x"]


@pytest.mark.parametrize("type_", [pa.int8(), pa.uint64(), pa.int64(), pa.float32(), pa.float64()])
def test_numbers_are_arrays_of_their_type(type_):
    made = column(pa.array([1, 2], type_))
    assert (made.dtype, made.tolist()) == (np.dtype(type_.to_pandas_dtype()), [1, 2])


def test_nulls_are_masked_and_nan_is_not_null():
    assert column(pa.array([1, None, 3])).tolist() == [1, None, 3]
    assert column(pa.array([True, None])).tolist() == [True, None]
    made = column(pa.array([1.5, float("nan")]))
    assert isinstance(made, np.ma.MaskedArray)
    assert not made.mask.any()
    assert column(pa.array([None, None], pa.float64())).tolist() == [None, None]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_are_datetime64(unit):
    moment = datetime.datetime(2026, 1, 1, 12)
    made = column(pa.array([moment, None], pa.timestamp(unit, "Europe/Berlin" if unit == "s" else None)))
    assert made.dtype == np.dtype("datetime64[ns]")
    assert made[0] == np.datetime64(moment)
    assert np.isnat(made[1])


def test_timestamps_that_int64_cannot_hold_in_ns_are_none():
    assert np.isnat(column(pa.array([2**60, -(2**60)], pa.timestamp("s")))).all()


@pytest.mark.parametrize(
    ("array", "values"),
    [
        (pa.array(["a", None]), ["a", None]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        (pa.array([[1, 2], None]), [[1, 2], None]),
        (pa.array([{"a": 1}]), [{"a": 1}]),
        (pa.array([b"ab"]), [b"ab"]),
        (pa.array([[1, None]], pa.list_(pa.int32(), 2)), [[1, None]]),
    ],
)
def test_the_rest_are_lists(array, values):
    assert column(array) == values


def test_lists_of_fixed_size_are_two_dimensional():
    made = column(pa.array([[1.5, 2], [3, 4]], pa.list_(pa.float32(), 2)))
    assert (made.dtype, made.tolist()) == (np.float32, [[1.5, 2], [3, 4]])


def test_the_stream_may_name_its_channel():
    table = pa.table({"time": [1]}).replace_schema_metadata({"speeddata.channel": "engine"})
    assert read_arrow(stream(table), None, LIMIT)[0].channel == "engine"
    assert read_arrow(stream(table), "x", LIMIT)[0].channel == "x"


def test_a_channel_that_is_made_has_the_units_of_the_fields():
    fields = [
        pa.field("time", pa.timestamp("ns"), metadata={"unit": "ns"}),
        pa.field("voltage", pa.float64(), metadata={"unit": "V"}),
        pa.field("pos.x", pa.float32(), metadata={"unit": "°"}),
        pa.field("count", pa.int32()),
    ]
    table = pa.table([[1], [1.5], [2.5], [3]], schema=pa.schema(fields))
    (part,) = read_arrow(stream(table), "c", LIMIT)
    schema = Schema.parse(part.content.infer("c", None).schema)
    assert {signal.name: signal.unit for signal in schema.signals} == {
        "time": None, "voltage": "V", "pos.x": "°", "count": None,
    }  # fmt: skip


def refused(data, channel="c", limit=LIMIT):
    with pytest.raises(Problem) as caught:
        read_arrow(data, channel, limit)
    return caught.value.status


def test_what_is_refused():
    table = pa.table({"x": np.zeros(100_000)})
    assert refused(stream(table), None) == 400
    assert refused(b"no") == 400
    assert refused(b"") == 400
    assert refused(stream(table)[:500]) == 400
    assert refused(stream(table, compression="zstd"), limit=500_000) == 413
    assert refused(stream(pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]))) == 400
    assert refused(stream(pa.table({f"c{n}": [1] for n in range(10_001)}))) == 400


def outcome(data):
    try:
        read_arrow(data, "c", LIMIT)
    except Problem as problem:
        return problem.status
    return 200


WHOLE = stream(
    pa.table(
        {"time": [1, 2], "s": ["a", "b"], "l": [[1], [2, 3]], "d": pa.array(["x", "y"]).dictionary_encode()}
    )
)


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_streams_are_refused_or_read(changes):
    data = bytearray(WHOLE)
    for place, value in changes:
        data[place] = value
    assert outcome(bytes(data)) in (200, 400, 413)


@pytest.mark.parametrize(
    "column",
    [
        pa.DictionaryArray.from_arrays(np.zeros(100_000, np.int8), pa.array(["x" * 1_000_000])),
        pa.nulls(5_000_000),
        pa.array([[]] * 5_000_000, pa.list_(pa.int8(), 0)),
    ],
    ids=lambda column: str(column.type),
)
def test_few_bytes_that_stand_for_many_values_are_refused(column):
    sink = pa.BufferOutputStream()
    table = pa.table({"time": np.zeros(len(column), np.int8), "x": column})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(Problem) as caught:
        read_arrow(sink.getvalue().to_pybytes(), "c", 16 << 20)
    assert caught.value.status == 413
