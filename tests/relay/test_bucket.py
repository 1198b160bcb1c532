"""Buckets: minima and maxima agree with numpy on random data, and keep the schema."""

import io
import math
from fractions import Fraction

import fastavro
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from line import encode

from speeddata.errors import RecordError
from speeddata.plan import Plan
from speeddata.relay.bucket import Bucket
from speeddata.schema import Schema

SCHEMA = {
    "type": "record",
    "name": "speeddata.test.mixed",
    "fields": [
        {"name": "time", "type": "long"},
        {"name": "n", "type": "int", "speeddata": {"role": "sequence"}},
        {"name": "real", "type": "double"},
        {"name": "small", "type": "float"},
        {"name": "whole", "type": "long"},
        {"name": "maybe", "type": ["null", "double"]},
        {"name": "some", "type": ["int", "null"]},
        {"name": "text", "type": "string"},
        {"name": "wave", "type": {"type": "array", "items": "double"}},
    ],
}
PARSED = fastavro.parse_schema(SCHEMA)
PLAN = Plan(Schema.parse(SCHEMA))

records = st.fixed_dictionaries(
    {
        "time": st.integers(-(2**62), 2**62),
        "n": st.integers(-(2**31), 2**31 - 1),
        "real": st.floats(allow_nan=True),
        "small": st.floats(width=32, allow_nan=True),
        "whole": st.integers(-(2**63), 2**63 - 1),
        "maybe": st.none() | st.floats(),
        "some": st.none() | st.integers(-(2**31), 2**31 - 1),
        "text": st.text(max_size=5),
        "wave": st.lists(st.floats(allow_nan=False), max_size=3),
    }
)


def decode(packet):
    file = io.BytesIO(packet)
    record = fastavro.schemaless_reader(file, PARSED, None)
    assert file.tell() == len(packet)
    return record


def expected(values, choose):
    """The extreme of what is a number; NaN where all numbers are NaN; None where all are null."""
    numbers = [v for v in values if v is not None and not math.isnan(v)]
    if numbers:
        return choose(numbers)
    return math.nan if any(v is not None for v in values) else None


def same(a, b):
    return a == b or (a is not None and b is not None and np.isnan(a) and np.isnan(b))


@given(st.lists(records, min_size=2, max_size=8))
def test_extremes_agree_with_numpy(given_records):
    bucket = Bucket(PLAN)
    for record in given_records:
        bucket.add(encode(SCHEMA, **record))
    low, high = map(decode, bucket.packets())
    for name in ("real", "small", "whole", "maybe", "some"):
        values = [record[name] for record in given_records]
        assert same(low[name], expected(values, min)), name
        assert same(high[name], expected(values, max)), name
    for name in ("time", "n", "text", "wave"):
        assert low[name] == high[name] == given_records[-1][name]


@given(records)
def test_a_single_record_passes_as_it_came(record):
    bucket = Bucket(PLAN)
    bucket.add(encode(SCHEMA, **record))
    assert bucket.packets() == [encode(SCHEMA, **record)]
    assert bucket.packets() == []


def test_what_is_no_record_is_refused():
    with pytest.raises(RecordError):
        Bucket(PLAN).add(b"\x02")


def numbers(given_records, name):
    return [v for v in (record[name] for record in given_records) if v is not None and not math.isnan(v)]


def aggregate(algorithm, given_records):
    bucket = Bucket(PLAN, algorithm)
    for record in given_records:
        bucket.add(encode(SCHEMA, **record))
    (packet,) = bucket.packets()
    return decode(packet)


@given(st.lists(records, min_size=2, max_size=8))
def test_whole_averages_are_exact_and_round_half_to_even(given_records):
    found = aggregate("average", given_records)
    for name in ("whole", "some"):
        values = numbers(given_records, name)
        assert found[name] == (round(Fraction(sum(values), len(values))) if values else None)
    for name in ("time", "n", "text", "wave"):
        assert found[name] == given_records[-1][name]


@pytest.mark.parametrize("algorithm", ["average", "rms"])
@given(given_records=st.lists(records, min_size=2, max_size=8))
def test_averages_and_rms_agree_with_numpy(algorithm, given_records):
    found = aggregate(algorithm, given_records)
    for name in ("real", "small", "maybe"):
        values = np.array(numbers(given_records, name), np.longdouble)
        if not len(values):
            assert same(found[name], expected([record[name] for record in given_records], None))
            continue
        with np.errstate(all="ignore"):
            wanted = np.mean(values) if algorithm == "average" else np.sqrt(np.mean(values * values))
            wanted = np.float32(wanted) if name == "small" else np.float64(wanted)
        size = np.max(np.abs(values)) if np.all(np.isfinite(values)) else 0
        tolerance = float(np.finfo(np.float32 if name == "small" else np.float64).eps * size)
        assert found[name] == pytest.approx(
            float(wanted), rel=1e-7 if name == "small" else 1e-15, abs=tolerance, nan_ok=True
        )


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=8))
def test_the_rms_of_whole_numbers_is_within_their_type(values):
    made = [
        {
            "time": 1,
            "n": 0,
            "real": 0.0,
            "small": 0.0,
            "whole": value,
            "maybe": None,
            "some": None,
            "text": "",
            "wave": [],
        }
        for value in values
    ]
    wanted = np.sqrt(np.mean(np.array(values, np.longdouble) ** 2))
    assert aggregate("rms", made)["whole"] == pytest.approx(min(float(wanted), 2**63 - 1), rel=1e-15, abs=0.5)
