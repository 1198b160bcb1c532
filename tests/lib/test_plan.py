"""Plans: times, packets, numbers written, and the object itself. The walk is in test_walk."""

import math
import pickle  # noqa: TID251 - that it can be
from fractions import Fraction
from typing import Any

import pytest
from channels import EVERY, LONG, VALUE, channel, exact, plan_of, reason_of
from hypothesis import example, given
from hypothesis import strategies as st
from twin import write

from speeddata.errors import RecordError
from speeddata.plan import MEANINGS, REASONS, TIME_UNITS, Kind, Reason, TimeUnit

# ---- time


@pytest.mark.parametrize(
    ("kind", "value", "unit", "wanted"),
    [
        ("long", 1_700_000_000_123_456_789, "ns", 1_700_000_000_123_456_789),
        ("long", -5, "us", -5_000),
        ("int", 1_700_000_000, "s", 1_700_000_000_000_000_000),
        ("long", 9_223_372_036, "s", 9_223_372_036_000_000_000),
        ("long", 9_223_372_037, "s", None),
        ("long", -9_223_372_036, "s", -9_223_372_036_000_000_000),
        ("long", -9_223_372_037, "s", None),
        ("long", 9_223_372_036_854, "ms", 9_223_372_036_854_000_000),
        ("long", 9_223_372_036_855, "ms", None),
        ("long", 9_223_372_036_854_775, "us", 9_223_372_036_854_775_000),
        ("long", 9_223_372_036_854_776, "us", None),
        ("long", 2**63 - 1, "ns", 2**63 - 1),
        ("long", -(2**63), "ns", -(2**63)),
        ("double", 1_700_000_000.25, "s", 1_700_000_000_250_000_000),
        ("double", -1.6e-9, "s", -2),
        ("double", 1700000000123.4567, "ms", 1_700_000_000_123_456_787),
        ("double", 0.1, "s", 100_000_000),
        ("double", math.nan, "s", None),
        ("double", math.inf, "ns", None),
        ("double", -math.inf, "ms", None),
        ("double", 1e300, "ns", None),
        ("double", 9.3e9, "s", None),
        ("double", -9.3e9, "s", None),
        ("double", 2.0**63, "ns", None),
        ("double", -(2.0**63), "ns", -(2**63)),
        ("float", 1.5, "s", 1_500_000_000),
        ("float", math.nan, "us", None),
        # the unit told by the magnitude
        ("long", 1, None, 1_000_000_000),
        ("long", 99_999_999_999, None, None),
        ("long", 1_700_000_000, None, 1_700_000_000_000_000_000),
        ("long", 10**11, None, 10**17),
        ("long", 10**14 - 1, None, None),
        ("long", 1_700_000_000_123, None, 1_700_000_000_123_000_000),
        ("long", 10**14, None, 10**17),
        ("long", 1_700_000_000_123_456, None, 1_700_000_000_123_456_000),
        ("long", 10**17, None, 10**17),
        ("long", 0, None, None),
        ("long", -1_700_000_000, None, None),
        ("double", 1.7e9, None, 1_700_000_000_000_000_000),
        ("double", 1e300, None, None),
        ("double", math.nan, None, None),
    ],
)
def test_time(kind: str, value: Any, unit: str | None, wanted: int | None) -> None:
    schema = {"type": "record", "name": "T", "fields": [{"name": "time", "type": kind}]}
    assert plan_of(schema, time_unit=unit).walk(write(kind, value))[1] == wanted
    nullable = {"type": "record", "name": "T", "fields": [{"name": "time", "type": ["null", kind]}]}
    plan = plan_of(nullable, time_unit=unit)
    assert plan.walk(write(["null", kind], (1, value)))[1] == wanted
    assert plan.walk(b"\0")[1] is None


SCALES = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


@given(st.floats(-1e19, 1e19) | st.floats(-10, 10) | st.floats(width=64), st.sampled_from(sorted(SCALES)))
@example(2.5 / 1024, "s")
@example(0.5, "ns")
def test_real_times_are_the_nearest_nanosecond(value: float, unit: str) -> None:
    plan = plan_of(
        {"type": "record", "name": "T", "fields": [{"name": "time", "type": "double"}]}, time_unit=unit
    )
    found = plan.walk(write("double", value))[1]
    exact = Fraction(value) * SCALES[unit] if math.isfinite(value) else None
    if found is None:
        assert exact is None or not -(2**63) <= exact < 2**63 - Fraction(1, 2)
    else:
        assert exact is not None
        assert abs(exact - found) <= Fraction(1, 2)


def test_sequence_before_and_after_time() -> None:
    number = {"name": "n", "type": "int", "speeddata": {"role": "sequence"}}
    other = {"name": "x", "type": "string"}
    for fields in (
        [number, other, LONG, other | {"name": "y"}],
        [other, LONG, number],
        [LONG, number],
        [number, LONG],
    ):
        plan = plan_of({"type": "record", "name": "T", "fields": fields}, time_unit="ns")
        values = {"n": -7, "x": "abc", "y": "d", "time": 12345}
        data = b"".join(write(field["type"], values[field["name"]]) for field in fields)
        assert plan.walk(data) == (len(data), 12345, -7)


# ---- packets


def test_packets() -> None:
    plan, data = plan_of(EVERY), write(EVERY, VALUE)
    assert plan.packet(data) == 1
    assert plan.packet(data * 5) == 5
    for packet, reason in (
        (b"", "empty"),
        (data[:-1], "short"),
        (data + b"\0", "trailing"),
        (data * 2 + data[:9], "trailing"),
    ):
        with pytest.raises(RecordError) as caught:
            plan.packet(exact(packet))
        assert caught.value.reason == reason


def test_single_object_packets() -> None:
    plan = plan_of(EVERY)
    head = b"\xc3\x01" + plan.schema.fingerprint
    data = head + write(EVERY, VALUE)
    assert plan.packet(data * 3, framing="single_object") == 3
    bad = {
        b"": "empty", data[1:]: "schema", b"\xc3\x02" + data[2:]: "schema", b"\xc3": "short", head[:9]: "short",
        head[:9] + b"\xff": "schema", b"\xc3\x01\x00": "schema", head: "short", data + b"\xc3": "trailing",
        data + write(EVERY, VALUE): "trailing", write(EVERY, VALUE): "schema",
    }  # fmt: skip
    for packet, reason in bad.items():
        with pytest.raises(RecordError) as caught:
            plan.packet(exact(packet), framing="single_object")
        assert caught.value.reason == reason
    with pytest.raises(ValueError, match="framing must be"):
        plan.packet(data, framing="other")  # type: ignore[arg-type]


# ---- numbers written


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        ("long", 2.5, 2),
        ("long", 3.5, 4),
        ("long", -2.5, -2),
        ("long", 1e300, 2**63 - 1),
        ("long", -math.inf, -(2**63)),
        ("long", math.nan, 0),
        ("long", -(2**63), -(2**63)),
        ("int", 2.0**40, 2**31 - 1),
        ("int", -(2**40), -(2**31)),
        ("int", -7, -7),
        ("float", 0.1, 0.10000000149011612),
        ("double", 3, 3.0),
        ("double", -0.0, -0.0),
        ("long", None, 0),
    ],
)
def test_put(kind: str, value: float | None, wanted: float) -> None:
    plan = plan_of(channel(kind, ["null", kind], [kind, "null"]))
    assert plan.put("f0", value) == write(kind, wanted)
    assert plan.put("f1", value) == write(["null", kind], (0, None) if value is None else (1, wanted))
    assert plan.put("f2", value) == write([kind, "null"], (1, None) if value is None else (0, wanted))


def test_put_refuses_what_is_no_number() -> None:
    with pytest.raises(ValueError, match="'f0' is not a number"):
        plan_of(channel("string")).put("f0", 1)


# ---- the object


def test_names_and_numbers_agree() -> None:
    assert [f"REASON_{name.upper() or 'OK'}" for name in REASONS] == [r.name for r in Reason][:-1]
    assert len(REASONS) == Reason.REASON_COUNT
    assert set(MEANINGS) == set(REASONS) - {""}
    assert {name: TimeUnit(number).name for name, number in TIME_UNITS.items()}["ms"] == "UNIT_MS"
    assert Kind.KIND_RECORD == 13


def test_any_buffer_will_do() -> None:
    plan, data = plan_of(EVERY), write(EVERY, VALUE)
    for buffer in (bytearray(data), memoryview(data), memoryview(b"x" + data)[1:]):
        assert plan.walk(buffer)[0] == len(data)
    with pytest.raises(IndexError):
        plan.walk(data, len(data) + 1)
    with pytest.raises(IndexError):
        plan.walk(data, -1)
    assert reason_of(plan, b"") == "short"


def test_plans_can_be_pickled() -> None:
    plan = pickle.loads(pickle.dumps(plan_of(EVERY)))  # noqa: S301 our own
    assert plan.walk(write(EVERY, VALUE))[2] == 300
