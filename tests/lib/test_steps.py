import io

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speeddata import steps
from speeddata.errors import RecordError
from speeddata.plan import Plan, StepKind
from speeddata.schema import Schema

FIXED = {"type": "fixed", "name": "f", "size": 5}
PAIR = {
    "type": "record",
    "name": "p",
    "fields": [{"name": "x", "type": "double"}, {"name": "y", "type": "float"}],
}


def schema(*types: object, time: object = "long") -> Schema:
    fields = [{"name": f"a{k}", "type": one} for k, one in enumerate(types)]
    return Schema.parse({"type": "record", "name": "r", "fields": [{"name": "time", "type": time}, *fields]})


def test_the_numbers_of_the_steps_are_those_of_the_plan() -> None:
    names = ("END", "LONG", "INT", "STRING", "NUMBER", "OTHER")
    assert [getattr(steps, name, k) for k, name in enumerate(names)] == [
        StepKind[f"STEP_{name}"].value for name in names
    ]


@pytest.mark.parametrize(
    ("types", "wanted"),
    [
        ((), [(0, steps.NUMBER), (0, steps.END)]),
        (("double", "float", FIXED, "null"), [(0, steps.NUMBER), (17, steps.END)]),
        (("double", "string", "float"), [(0, steps.NUMBER), (8, steps.STRING), (4, steps.END)]),
        ((PAIR, "int", "double"), [(0, steps.NUMBER), (12, steps.INT), (8, steps.END)]),
        ((["null", "double"], "double"), [(0, steps.NUMBER), (0, steps.OTHER), (8, steps.END)]),
        (("double", {"type": "array", "items": PAIR}), [(0, steps.NUMBER), (8, steps.OTHER), (0, steps.END)]),
        (("boolean", "long"), [(0, steps.NUMBER), (0, steps.OTHER), (0, steps.LONG), (0, steps.END)]),
    ],
)
def test_what_is_of_fixed_size_is_stepped_over_at_once(
    types: tuple[object, ...], wanted: list[tuple[int, int]]
) -> None:
    assert [(fixed, kind) for fixed, kind, _ in Plan(schema(*types)).steps()] == wanted


@given(st.lists(st.sampled_from(["double", "float", "int", "string", "boolean"]), max_size=6), st.data())
@settings(deadline=None)
def test_a_record_cut_short_anywhere_is_refused_and_a_whole_one_is_not(
    types: list[str], data: st.DataObject
) -> None:
    parsed = schema(*types)
    values = {"double": 1.5, "float": 2.5, "int": 300, "string": "héllo", "boolean": True}
    out = io.BytesIO()
    record = {"time": 10**18, **{f"a{k}": values[kind] for k, kind in enumerate(types)}}
    fastavro.schemaless_writer(out, fastavro.parse_schema(parsed.json), record)
    plan = Plan(parsed)
    assert plan.walk(out.getvalue())[0] == len(out.getvalue())
    cut = data.draw(st.integers(0, len(out.getvalue()) - 1))
    with pytest.raises(RecordError):
        plan.walk(out.getvalue()[:cut])
