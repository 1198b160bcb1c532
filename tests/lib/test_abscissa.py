"""Columns of times as nanoseconds."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twin import write

from speeddata.columns import time_ns
from speeddata.plan import Plan
from speeddata.schema import Schema


def plan_of(kind: Any = "long", unit: str | None = None) -> Plan:
    fields = [{"name": "time", "type": kind}]
    return Plan(Schema.parse({"type": "record", "name": "T", "fields": fields}, time_unit=unit))


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.float32, np.float64])
def test_every_type(dtype: Any) -> None:
    found, bad = time_ns(plan_of(unit="ms"), np.array([-1, 0, 1, 2048], dtype))
    assert (found.dtype, bad.dtype) == (np.int64, np.bool_)
    assert found.tolist() == [-1_000_000, 0, 1_000_000, 2_048_000_000]
    assert not bad.any()


def test_impossible_times_are_said() -> None:
    found, bad = time_ns(plan_of(), np.array([1.5, np.nan, np.inf, 1e10]), "s")
    assert found.tolist() == [1_500_000_000, 0, 0, 0]
    assert bad.tolist() == [False, True, True, True]
    found, bad = time_ns(plan_of(), np.ma.MaskedArray([1, 2, 2**62], mask=[False, True, False]), "us")
    assert (found.tolist(), bad.tolist()) == ([1000, 0, 0], [False, True, True])


def test_the_unit() -> None:
    column = np.array([0, -5, 1_700_000_000_000, 1])  # the first plausible time tells that these are ms
    assert time_ns(plan_of(), column)[0].tolist() == [0, -5_000_000, 1_700_000_000_000_000_000, 1_000_000]
    assert time_ns(plan_of(unit="us"), column)[0][2] == 1_700_000_000_000_000
    assert time_ns(plan_of(unit="us"), column, "ns")[0][2] == 1_700_000_000_000
    assert time_ns(plan_of(), np.array([0, -1]))[1].all()
    assert len(time_ns(plan_of(), [])[0]) == 0
    with pytest.raises(ValueError, match="unit must be one of s, ms, us, ns, not 'h'"):
        time_ns(plan_of(), column, "h")


@given(st.lists(st.floats(), max_size=5), st.sampled_from(["s", "ms", "us", "ns"]))
def test_it_is_what_the_walk_says(values: list[float], unit: str) -> None:
    plan = plan_of("double", unit)
    found, bad = time_ns(plan, np.array(values, float))
    for value, ns, wrong in zip(values, found.tolist(), bad.tolist(), strict=True):
        assert plan.walk(write("double", value))[1] == (None if wrong else ns)
