"""Limits held against records: agrees with a columnar oracle on random schemas and records; occurrences, NaN, versions."""

import copy
import math
import struct
from typing import Any

import numpy as np
import pytest
import twin
from channels import plan_of
from hypothesis import given
from hypothesis import strategies as st
from line import encode
from strategies import records, schemas

from speeddata.relay.alarms import limited_signals, read_alarms, tell_alarms
from speeddata.relay.limit_check import LimitCheck
from speeddata.tree import NUMBERS

TIME = {"name": "time", "type": "long", "logicalType": "timestamp-nanos"}
ENDS = st.sampled_from([-(2**63), -1e300, -7, -0.5, 0, 0.1, 1, 1.5, 64, 2.0**40, 2**53 + 1, 2**63 - 1])
KINDS: list[Any] = [
    *("double", "float", "long", "int", "boolean", ["null", "double"], ["int", "null"]),
    *({"type": "array", "items": items} for items in ("double", "float", ["null", "long"])),
    ["null", {"type": "array", "items": "boolean"}],
]
BOTH = {"warn": [-1, 1], "alarm": [-2, 2]}


def schema(*fields: Any, name: str = "T") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [TIME, *fields]}


def limited(name: str, type_: Any, limits: Any = BOTH) -> dict[str, Any]:
    return {"name": name, "type": type_, "speeddata": {"limits": limits}}


def named(check: LimitCheck) -> dict[tuple[str, str], dict[str, Any]]:
    """How signals stand, by name and side, in the form that is kept and told."""
    told = read_alarms(tell_alarms(check.plans, check.standings()))
    return {(one["signal"], one["side"]): one for one in told}


# ---- the oracle


@st.composite
def limits(draw: Any) -> dict[str, Any]:
    """Limits that a signal may state: four ends in order, some of them left out."""
    ends = sorted(draw(st.lists(ENDS, min_size=4, max_size=4, unique=True)))
    kept = [end if draw(st.booleans()) else None for end in ends]
    made = {"warn": [kept[1], kept[2]], "alarm": [kept[0], kept[3]]}
    return {level: pair for level, pair in made.items() if pair != [None, None]}


def plain(type_: Any) -> Any:
    """The type of a field's values, where limits can be for them: without null, and of an array its items."""
    for _ in range(2):
        if isinstance(type_, list):
            rest = [branch for branch in type_ if branch != "null"]
            if len(type_) != 2 or len(rest) != 1:
                return None
            type_ = rest[0]
        type_ = type_["type"] if isinstance(type_, dict) and type_["type"] in NUMBERS else type_
        if isinstance(type_, dict) and type_["type"] == "array":
            type_ = type_["items"]
    return type_ if type_ in (*NUMBERS, "boolean") else None


def annotate(record: Any, draw: Any) -> None:
    """Give limits to signals of a schema that can have them."""
    for field in record["fields"]:
        if isinstance(field["type"], dict) and field["type"]["type"] == "record":
            annotate(field["type"], draw)
        elif plain(field["type"]) and (made := draw(limits())) and draw(st.booleans()):
            field.setdefault("speeddata", {})["limits"] = made


def numbers(type_: Any, value: Any) -> list[Any]:
    """The numbers of a value as `twin.write` takes it, as the type has them; NaN is none."""
    if isinstance(type_, list):
        return numbers(type_[value[0]], value[1])
    kind = type_ if isinstance(type_, str) else type_["type"]
    if kind == "array":
        return [number for item in value for number in numbers(type_["items"], item)]
    if kind == "null" or value != value:
        return []
    return [struct.unpack("<f", struct.pack("<f", value))[0] if kind == "float" else value]


def column(path: tuple[str, ...], type_: Any, rows: list[Any]) -> tuple[str, list[list[Any]]]:
    """What a signal has: the type of its numbers, and those of each record."""
    for part in path:
        type_ = next(field["type"] for field in type_["fields"] if field["name"] == part)
        rows = [row[part] for row in rows]
    return plain(type_), [numbers(type_, value) for value in rows]


def nearest(bound: float | None, kind: str) -> float | None:
    """A limit as the type has it."""
    if bound is None or kind != "float":
        return bound
    with np.errstate(over="ignore"):
        single = float(np.float32(bound))
    return single if math.isfinite(single) else bound


def expected(values: list[list[Any]], side: int, bounds: list[float | None]) -> dict[str, Any] | None:
    """How one side stands after all records: levels as a column, the rest by numpy."""
    seen = [(row, (min, max)[side](numbers)) for row, numbers in enumerate(values) if numbers]
    beyond = [
        [bound is not None and (value < bound if side == 0 else value > bound) for bound in bounds]
        for _, value in seen
    ]
    levels = np.array([2 if alarm else int(warn) for warn, alarm in beyond] or [0])
    out = np.flatnonzero(levels)
    if not len(out):
        return None
    worst = (min, max)[side](seen[k][1] for k in out)
    first = next(k for k in out if seen[k][1] == worst)
    return {
        "rises": int((np.diff(levels, prepend=0) > 0).sum()),
        "level": int(levels[-1]),
        "highest": int(levels.max()),
        "since": [seen[np.flatnonzero(levels >= n)[0]][0] if (levels >= n).any() else 0 for n in (1, 2)],
        "records": [int((levels >= n).sum()) for n in (1, 2)],
        "worst": (seen[first][0], worst),
        "last": (seen[out[-1]][0], seen[out[-1]][1]),
    }


@given(schemas(), st.data())
def test_standings_agree_with_a_columnar_oracle(source: Any, data: Any) -> None:
    source = copy.deepcopy(source)
    source["fields"] += [{"name": f"k{n}", "type": kind} for n, kind in enumerate(KINDS)]
    annotate(source, data.draw)
    rows = data.draw(st.lists(records(source), max_size=12))
    plan = plan_of(source)
    check = LimitCheck([plan])
    chance = data.draw(st.randoms(use_true_random=False))
    for at, row in enumerate(rows):
        check.check(twin.write(source, row, chance), at)
    found = named(check)
    for signal in limited_signals([plan]).values():
        assert signal.limits is not None
        kind, values = column(signal.path, source, rows)
        for side, name in enumerate(("low", "high")):
            warn, alarm = (nearest(pair[side], kind) for pair in (signal.limits.warn, signal.limits.alarm))
            wanted = expected(values, side, [alarm if warn is None else warn, alarm])
            one = found.pop((signal.name, name), None)
            told = one and {key: one[key] for key in ("rises", "level", "highest", "since", "records")}
            for key in ("worst", "last") if one else ():
                told[key] = one[key]["time"], one[key]["value"]
            assert told == wanted, (signal.name, name)
    assert found == {}


# ---- occurrences

ONE = schema(limited("x", ["null", "double"]))


class Source:
    """A channel of one signal, whose records have the numbers 0, 1, 2 ... as times."""

    def __init__(self, *sources: Any) -> None:
        self.sources = sources or (ONE,)
        self.check = LimitCheck([plan_of(source) for source in self.sources])
        self.at = 0

    def send(self, *values: Any, version: int = 0) -> None:
        for value in values:
            self.check.check(encode(self.sources[version], time=self.at, x=value), self.at, version)
            self.at += 1

    def stands(self, side: str = "high") -> dict[str, Any]:
        return named(self.check)["x", side]

    def acknowledge(self, side: str = "high", rises: int | None = None) -> bool:
        one = self.stands(side)
        return self.check.acknowledge("x", side, one["epoch"], one["rises"] if rises is None else rises)


def test_one_bad_sample_stays_with_value_and_time() -> None:
    source = Source()
    source.send(*[0.0] * 7, 2.5, *[0.0] * 9)
    one = source.stands()
    assert (one["rises"], one["level"], one["highest"], one["records"]) == (1, 0, 2, [1, 1])
    assert one["worst"] == one["last"] == {"time": 7, "value": 2.5, "limit": 2, "kind": 5}
    assert one["limits"] == {"warn": [-1, 1], "alarm": [-2, 2]}
    assert list(named(source.check)) == [("x", "high")]


def test_what_is_not_acknowledged_is_not_overwritten() -> None:
    source = Source()
    source.send(9.0, 0.0, 1.5, 0.0, 1.25)
    one = source.stands()
    assert (one["rises"], one["level"], one["highest"], one["records"]) == (3, 1, 2, [3, 1])
    assert (one["worst"]["value"], one["last"]["value"], one["since"]) == (9.0, 1.25, [0, 0])


def test_after_an_acknowledgement_the_next_rise_begins_anew() -> None:
    source = Source()
    source.send(9.0, 8.0)
    assert source.acknowledge()
    source.send(7.0, 0.0)
    one = source.stands()
    assert (one["rises"], one["records"], one["worst"]["value"]) == (1, [3, 3], 9.0)
    source.send(1.5)
    one = source.stands()
    assert (one["rises"], one["level"], one["highest"], one["records"]) == (2, 1, 1, [1, 0])
    assert (one["since"], one["worst"]["time"]) == ([4, 0], 4)


def test_what_is_acknowledged_and_gets_worse_rises_again() -> None:
    source = Source()
    source.send(1.5)
    source.acknowledge()
    source.send(1.75, 2.5)
    one = source.stands()
    assert (one["rises"], one["level"], one["since"]) == (2, 2, [2, 2])
    assert (one["records"], one["worst"]["value"]) == ([1, 1], 2.5)


def test_a_rise_that_nobody_saw_is_not_acknowledged_with_those_before_it() -> None:
    source = Source()
    source.send(9.0, 0.0)
    seen = source.stands()["rises"]
    source.send(3.0, 0.0)
    assert source.acknowledge(rises=seen)
    source.send(1.5)
    assert (source.stands()["worst"]["value"], source.stands()["records"]) == (9.0, [3, 2])
    assert not source.check.acknowledge("x", "high", 1, 3)
    assert not source.check.acknowledge("y", "high", source.stands()["epoch"], 3)


@pytest.mark.parametrize("nothing", [math.nan, None])
def test_nan_and_null_neither_raise_nor_end_an_alarm(nothing: float | None) -> None:
    source = Source()
    source.send(nothing)
    assert named(source.check) == {}
    source.send(3.0, nothing)
    assert (source.stands()["level"], source.stands()["records"]) == (2, [1, 1])
    source.send(0.0, nothing)
    assert source.stands()["level"] == 0


def test_infinity_is_beyond_and_can_be_kept() -> None:
    source = Source()
    source.send(math.inf, -math.inf)
    assert [source.stands(side)["worst"]["value"] for side in ("high", "low")] == [math.inf, -math.inf]


def test_both_sides_are_alarms_of_their_own() -> None:
    source = Source()
    source.send(5.0, -1.5)
    assert (source.stands("high")["level"], source.stands("low")["level"]) == (0, 1)
    source.acknowledge("low")
    assert (source.stands("high")["seen"], source.stands("low")["seen"]) == (0, 1)


def test_a_limit_is_what_the_type_has_of_it() -> None:
    check = LimitCheck([plan_of(schema(limited("f", "float", {"alarm": [None, 0.1]})))])
    nearest_to_it = np.float32(0.1)
    for value, beyond in ((nearest_to_it, False), (np.nextafter(nearest_to_it, np.float32(1)), True)):
        assert float(value) > 0.1
        assert check.check(struct.pack("<xf", value), 0) == beyond


def test_whole_numbers_are_compared_as_such() -> None:
    big = 2**53
    check = LimitCheck([plan_of(source := schema(limited("n", "long", {"alarm": [-0.5, big]})))])
    for value, beyond in ((big, False), (0, False), (big + 1, True), (big, True), (-1, True), (0, True)):
        assert check.check(encode(source, time=0, n=value), 0) == beyond, value
    found = named(check)
    assert found["n", "high"]["worst"]["value"] == big + 1
    assert (found["n", "low"]["worst"]["limit"], found["n", "low"]["last"]["value"]) == (-0.5, -1)


# ---- versions of the schema


def test_a_record_is_held_against_the_limits_of_its_own_version() -> None:
    wider = schema(limited("x", "long", {"alarm": [-100, 100]}), name="U")
    source = Source(ONE, wider)
    source.send(5, version=1)
    assert named(source.check) == {}
    source.send(3.0)
    source.send(150, version=1)
    one = source.stands()
    assert (one["worst"]["value"], one["worst"]["limit"]) == (150, 100)
    assert (one["rises"], one["records"]) == (1, [2, 2])
    assert one["limits"] == {"warn": [None, None], "alarm": [-100, 100]}


def test_a_version_without_the_limits_ends_the_alarm() -> None:
    source = Source(ONE, schema({"name": "x", "type": "double"}, name="U"))
    source.send(5.0)
    source.send(6.0, version=1)
    assert (source.stands()["level"], source.stands()["records"]) == (0, [1, 1])


def test_signals_of_all_versions_have_their_places() -> None:
    first = [limited(f"a{n}", "double") for n in range(200)]
    check = LimitCheck(
        [plan_of(schema(*first)), plan_of(schema(*first[100:], limited("b", "double"), name="U"))]
    )
    check.check(b"\0" + struct.pack("<200d", *[3.0] * 200), 1)
    check.check(b"\0" + struct.pack("<101d", *[0.0] * 100, -9.0), 2, 1)
    found = named(check)
    assert len(found) == 201
    assert (found["a99", "high"]["level"], found["a100", "high"]["level"]) == (2, 0)
    assert found["b", "low"]["worst"]["time"] == 2


def test_bytes_that_are_no_record_are_not_read_beyond_their_end() -> None:
    source = schema(*(limited(f"k{n}", kind) for n, kind in enumerate(KINDS)))
    row = {"time": 1} | {f"k{n}": [9] if "array" in str(kind) else 9 for n, kind in enumerate(KINDS)}
    row |= {"k4": True, "k10": [True]}
    whole = encode(source, **row)
    assert LimitCheck([plan_of(source)]).check(whole, 1)
    for end in range(len(whole)):
        check = LimitCheck([plan_of(source)])
        assert not check.check(whole[:end], 1), end
        assert check.standings() == []


# ---- what is kept


@pytest.mark.parametrize(
    ("key", "value"),
    [("signal", 5), ("side", "left"), ("epoch", -1), ("rises", "1"), ("seen", None), ("level", 3), ("highest", 0),
     ("since", [1]), ("records", 5), ("last", None), ("worst", {"time": 1}), ("limits", []), ("rises", 2**64)],
)  # fmt: skip
def test_what_is_no_alarm_is_not_taken_for_one(key: str, value: Any) -> None:
    source = Source()
    source.send(9.0)
    with pytest.raises(ValueError, match="not alarms"):
        read_alarms([source.stands() | {key: value}])
