import ingest_world
import numpy as np
import orjson
import pytest

from speeddata.columns import decode
from speeddata.errors import SchemaError
from speeddata.pivot.ingest_batch import Batch, Columns, Part, Records, Rows
from speeddata.pivot.ingest_specs import Known
from speeddata.pivot.problem import Problem
from speeddata.plan import Plan
from speeddata.rows_json import RowEncoder
from speeddata.schema import Schema

SCHEMA = Schema.parse(ingest_world.SPEED)
KNOWN = Known("x", {"versions": []}, Plan(SCHEMA), "ns")
ROWS = [{"time": 1, "speed": 1.5}, {"time": 3, "speed": 2.5}, {"time": 2, "speed": 3.5}]
DATA = RowEncoder(Plan(SCHEMA), "ns").rows(ROWS).data


def encode(*contents, known=KNOWN, **options):
    return Batch([Part("x", content) for content in contents], **options).encode({"x": known})


def problem(*contents, **options):
    with pytest.raises(Problem) as caught:
        encode(*contents, **options)
    assert caught.value.status == 400
    orjson.dumps(caught.value.body)
    return caught.value.body


LISTS = {"time": [1, 3, 2], "speed": [1.5, 2.5, 3.5]}
ARRAYS = {name: np.array(column) for name, column in LISTS.items()}


@pytest.mark.parametrize(
    "content", [Rows(ROWS), Columns(LISTS), Columns(ARRAYS), Records(DATA), Records(DATA, SCHEMA)]
)
def test_all_forms_are_the_same_records(content):
    (ready,) = encode(content)
    assert (ready.data, ready.count, ready.newest_ns) == (DATA, 3, 3)
    assert (ready.channel, ready.fingerprint) == ("x", SCHEMA.fingerprint.hex())


def test_arrays_that_do_not_fit_as_they_are_are_looked_at_value_by_value():
    columns = {"time": np.array([1.0, 2.0]), "speed": np.array([1, 2]), "gear": np.array([1.0, 2.0])}
    assert decode(KNOWN.plan, encode(Columns(columns))[0].data)["gear"].tolist() == [1, 2]
    body = problem(Columns({**columns, "gear": np.array([1.0, 2.5])}))
    assert [(e["row"], e["field"], e["value"]) for e in body["errors"]] == [(1, "gear", 2.5)]


def test_records_of_another_schema_are_fitted_by_name():
    other = {
        "type": "record",
        "name": "o",
        "fields": [{"name": "speed", "type": "float"}, {"name": "time", "type": "long"}],
    }
    schema = Schema.parse(other, time_unit="ms")
    data = RowEncoder(Plan(schema), "ms").rows([{"time": 5, "speed": 1.5}]).data
    made = decode(KNOWN.plan, encode(Records(data, schema))[0].data)
    assert {name: column.tolist() for name, column in made.items()} == {
        "time": [5_000_000], "speed": [1.5], "gear": [None], "note": ["-"],
    }  # fmt: skip


def test_a_schema_that_differs_in_the_unit_alone_is_another():
    fields = [
        {"name": "time", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        *ingest_world.SPEED["fields"][1:],
    ]
    schema = Schema.parse({**ingest_world.SPEED, "fields": fields})
    assert schema.fingerprint == SCHEMA.fingerprint
    assert decode(KNOWN.plan, encode(Records(DATA, schema))[0].data)["time"].tolist() == [
        10**6,
        3 * 10**6,
        2 * 10**6,
    ]


def test_records_of_a_former_version_stay_as_they_are():
    former = {**ingest_world.SPEED, "fields": ingest_world.SPEED["fields"][:2]}
    schema = Schema.parse(former)
    data = RowEncoder(Plan(schema), "ns").rows(ROWS).data
    known = Known("x", {"versions": [former]}, KNOWN.plan, "ns")
    (ready,) = encode(Records(data, schema), known=known)
    assert (ready.data, ready.fingerprint) == (data, schema.fingerprint.hex())


def test_records_that_are_none_are_told():
    body = problem(Records(DATA + b"\x02"))
    assert body["errors"][0]["row"] == 3
    assert body["rows"] == 1
    assert problem(Records(b"\xff" * 20))["errors"][0]["row"] == 0


def test_all_that_is_wrong_is_told_over_the_parts():
    bad = [{"time": 1}, {"time": 1, "speed": 1}, {"time": 1, "speed": 1, "z": 2**70}]
    body = problem(Rows(bad), Rows(bad, None, [10, 20, 30]))
    assert [(e["row"], e["channel"], e["field"]) for e in body["errors"]] == [
        (0, "x", "speed"), (2, "x", "z"), (10, "x", "speed"), (30, "x", "z"),
    ]  # fmt: skip
    assert body["rows"] == 4
    assert body["error"].startswith("Nothing was ingested: row 0, field 'speed': expected a number")


@pytest.mark.parametrize(
    "value", ["x" * 500, list(range(1000)), {"a": {"b": {"c": {"d": 1}}}}, 2**100, float("inf"), b"x"]
)
def test_values_are_told_shortly(value):
    body = problem(Rows([{"time": 1, "speed": 1, "note": value if not isinstance(value, str) else [value]}]))
    assert len(orjson.dumps(body["errors"][0]["value"])) <= 120


def test_a_hundred_errors_are_told():
    body = problem(*[Rows([{"time": 1}] * 60)] * 3)
    assert (len(body["errors"]), body["rows"]) == (100, 180)


def test_columns_of_different_lengths():
    assert problem(Columns({"time": [1], "speed": [1, 2]}))["lengths"] == {"time": 1, "speed": 2}
    assert problem(Columns({"time": np.ones(1), "speed": np.ones(2)}))["lengths"]


def test_the_unit_of_times_and_unknown_fields():
    rows = [{"time": 5, "speed": 1, "z": 1}]
    (ready,) = encode(Rows(rows), time_unit="ms", ignore_unknown=True)
    assert ready.newest_ns == 5_000_000
    (ready,) = encode(
        Columns({"time": np.array([5]), "speed": np.ones(1), "z": [1]}), time_unit="ms", ignore_unknown=True
    )
    assert ready.newest_ns == 5_000_000


def test_a_part_with_a_schema_is_known_without_asking():
    known = Part("x", Rows([]), SCHEMA).given()
    assert (known.name, known.unit, known.fingerprint) == ("x", "ns", SCHEMA.fingerprint.hex())
    assert Part("x", Rows([])).given() is None


def test_what_a_schema_is_inferred_from():
    assert Rows([{"time": 1, "channel": "x"}], "channel").infer("x", "ns").schema["name"] == "x"
    assert Columns(ARRAYS).infer("x", "ns").schema["fields"][1]["type"] == "double"
    assert Records(DATA, SCHEMA).infer("x", None).schema == ingest_world.SPEED
    with pytest.raises(SchemaError, match="container"):
        Records(DATA).infer("x", None)
